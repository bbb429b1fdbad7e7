// The first thing that every entry point loads. It is written so that old versions of Node.js can read it, and whatever
// they cannot read is loaded after it by `import()`: they would refuse that with an error that names no version.
const needed = [20, 19]
const version = process.versions.node
const [major, minor] = version.split('.').map(Number)

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  console.error(`Muster needs Node.js ${needed.join('.')} or newer; this is ${major}.${minor}`)
  process.exit(1)
}

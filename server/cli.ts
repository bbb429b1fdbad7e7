import '../check-node.mjs'

// Loaded after the check, and by itself: an older Node.js could not even read it.
await import('./cli/commands.ts')

/** Real app, real SQL, real MSAL, the simulator over HTTP: no module is ever mocked. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/browser/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  // Much of a test is waiting for other processes: a core of two left free would be free for most of the time.
  maxWorkers: '100%',
  // A hang is still an end; two busy cores are none.
  testTimeout: 60_000,
}

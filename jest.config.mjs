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
  // Modules of a file that has run stay in memory (https://github.com/jestjs/jest/issues/11956): a collection takes seconds then.
  workerIdleMemoryLimit: '800MB',
  // A hang ends here; two busy cores, shared with the other files and their processes, are none.
  testTimeout: 240_000,
}

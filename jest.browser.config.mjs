import base from './jest.config.mjs'

/** The pages in a real Chromium: needs one installed (CHROMIUM_PATH, or chromium on the PATH). */
export default {
  ...base,
  roots: ['<rootDir>/test/browser'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 120_000,
  verbose: true,
}

/** English: the words of the setup pages. */
export const setup = {} as const

/** English: the words of the shell pages. */
export const shell = {} as const

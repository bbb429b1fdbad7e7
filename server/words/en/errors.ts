/** English: the words of the errors pages. */
export const errors = {} as const

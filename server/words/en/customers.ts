/** English: the words of the customers pages. */
export const customers = {} as const

/** English: the words of the join pages. */
export const join = {} as const

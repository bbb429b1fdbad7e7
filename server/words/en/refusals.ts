/** English: the words of the refusals pages. */
export const refusals = {} as const

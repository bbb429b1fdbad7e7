/** English: the words of the overview pages. */
export const overview = {} as const

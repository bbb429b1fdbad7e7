/** English: the words of the tenants pages. */
export const tenants = {} as const

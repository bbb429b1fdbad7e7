const shape = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const whole = new RegExp(`^${shape}$`, 'i')
const within = new RegExp(shape, 'i')

/** In either case, with its hyphens and nothing around it. */
export const isGuid = (text: string): boolean => whole.test(text)

/** The first GUID in a text, in lower case; null where there is none. */
export const findGuid = (text: string): string | null => within.exec(text)?.[0].toLowerCase() ?? null

/**
 * Characters that nobody sees, by what they do where a text is read. Unicode's Cc are control characters, Cf format
 * characters, Zl and Zp ends of lines and paragraphs. Patterns with `g` are for replacing: `test` would go on where it left off.
 */

/**
 * What breaks a line or turns the direction of what follows: none of it belongs in a name, where it
 * can make one text pass for another, nor in a line of a log or the head of a mail.
 */
export const lineBreaking = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu

/** Every control and format character. */
export const unseen = /[\p{Cc}\p{Cf}]/gu

/** What can stand around a name that was copied from a page or a mail: zero-width marks, soft hyphens, BOMs. */
export const aroundNames = /[\p{Cf}\p{Cc}]|\p{Variation_Selector}/gu

/** What a setting cannot hold. Tabs and line ends aside: they are trimmed, or between the items of a list. */
export const inSettings = /(?![\t\n\r])[\p{Cc}\p{Cf}]/u

/** What can stand before the first character of a line, a byte order mark among it: files are glued together. */
export const beforeLine = /^[\s\p{Cc}\p{Cf}]+/u

/**
 * Control characters, and the Unicode ones that turn, hide or smuggle text: `invoice\u202Efdp.exe` reads as a PDF. Tab
 * and line ends are left alone. Zero-width joiners belong to emoji and to scripts that join their letters; after Latin
 * text they only make two names look alike.
 */
export const misleading =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are part of Latin text's range
  /(?![\t\n\r])\p{Cc}|[\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|(?<=[\u0000-\u024f])[\u200c\u200d]/gu

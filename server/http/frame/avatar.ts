/** What stands for a person where there is no room for the name. */
export interface Avatar {
  /** One or two letters; `?` for a name without any. */
  initials: string
  /** One of three shades, the same for one name everywhere. */
  shade: number
}

/** The letters and the shade of a name, or of the user part of a user principal name. */
export function avatarOf(name: string): Avatar {
  const words = (name.split('@')[0] ?? '').split(/[^\p{L}\p{N}\p{M}]+/u).filter((part) => part !== '')
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((part) => [...(part ?? '')][0] ?? '')
  // A name and the user name made of it have the same words.
  const sum = [...words.join(' ').toLowerCase()].reduce((total, letter) => total + (letter.codePointAt(0) as number), 0)
  return { initials: letters.join('').toUpperCase() || '?', shade: (sum % 3) + 1 }
}

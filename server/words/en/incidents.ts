/** English: the words of the incidents pages. */
export const incidents = {} as const

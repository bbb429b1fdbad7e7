/** Undefined for an empty list. */
export const percentile = (sorted: readonly number[], share: number): number | undefined =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

/** 0 for an empty list. */
export const median = (list: readonly number[]): number =>
  percentile(
    [...list].sort((a, b) => a - b),
    0.5,
  ) ?? 0

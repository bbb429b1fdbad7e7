/** What an alert is called that came without its ID, which Microsoft always sends: it is shown, and asked for again. */
export const unnamedAlert = (index: number): string => `unnamed-${index + 1}`

export const isUnnamed = (alertId: string): boolean => /^unnamed-\d+$/.test(alertId)

/** The ways in which somebody can be told. */
export const destinationKinds = ['mail', 'teams', 'slack', 'webhook', 'siem'] as const
export type DestinationKind = (typeof destinationKinds)[number]

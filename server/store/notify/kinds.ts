/** The ways in which a message can be sent. */
export const destinationKinds = ['mail', 'teams', 'slack', 'webhook', 'siem'] as const
export type DestinationKind = (typeof destinationKinds)[number]

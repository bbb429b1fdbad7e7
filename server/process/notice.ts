/**
 * How long clients are told to come back on another connection, and balancers that this process is not ready, before the port
 * closes: a balancer looks once a second or so, and later where the machine is busy. Nobody at a terminal waits for one.
 */
export const noticeMs = { SIGTERM: 2_500, SIGINT: 500 } as const

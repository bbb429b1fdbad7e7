/** Whether this process is on its way out; then it finishes what it has and is given no more. */
export interface Lifecycle {
  draining: boolean
}

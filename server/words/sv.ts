import { customers } from './sv/customers.ts'
import { errors } from './sv/errors.ts'
import { join } from './sv/join.ts'
import { notify } from './sv/notify.ts'
import { permissions } from './sv/permissions.ts'
import { refusals } from './sv/refusals.ts'
import { shell } from './sv/shell.ts'
import { login } from './sv/sign-in.ts'

/** Swedish: the public pages and their errors. */
export const sv = {
  ...shell,
  ...errors,
  ...login,
  ...refusals,
  ...join,
  ...permissions,
  ...customers,
  ...notify,
} as const

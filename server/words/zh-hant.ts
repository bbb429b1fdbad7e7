import { customers } from './zh-hant/customers.ts'
import { errors } from './zh-hant/errors.ts'
import { join } from './zh-hant/join.ts'
import { notify } from './zh-hant/notify.ts'
import { permissions } from './zh-hant/permissions.ts'
import { refusals } from './zh-hant/refusals.ts'
import { shell } from './zh-hant/shell.ts'
import { login } from './zh-hant/sign-in.ts'

/** Traditional Chinese (Taiwan): the public pages and their errors. */
export const zhHant = {
  ...shell,
  ...errors,
  ...login,
  ...refusals,
  ...join,
  ...permissions,
  ...customers,
  ...notify,
} as const

import { alarms } from './en/alarms.ts'
import { signals } from './en/badges.ts'
import { causes } from './en/causes.ts'
import { customers } from './en/customers.ts'
import { errors } from './en/errors.ts'
import { incidents } from './en/incidents.ts'
import { join } from './en/join.ts'
import { notify } from './en/notify.ts'
import { overview } from './en/overview.ts'
import { audit } from './en/partner/audit.ts'
import { people } from './en/partner/people.ts'
import { settings } from './en/partner/settings.ts'
import { setup } from './en/partner/setup.ts'
import { permissions } from './en/permissions.ts'
import { refusals } from './en/refusals.ts'
import { search } from './en/search.ts'
import { shell } from './en/shell.ts'
import { login } from './en/sign-in.ts'
import { tenants } from './en/tenants.ts'

/** Every word of the portal. ICU message syntax. */
export const en = {
  ...shell,
  ...signals,
  ...errors,
  ...causes,
  ...login,
  ...refusals,
  ...join,
  ...permissions,
  ...overview,
  ...customers,
  ...tenants,
  ...incidents,
  ...audit,
  ...setup,
  ...settings,
  ...people,
  ...notify,
  ...alarms,
  ...search,
} as const

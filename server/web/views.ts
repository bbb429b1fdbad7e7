import type { AttemptView } from './attempt.ts'
import type { AuditView } from './audit.ts'
import type { CustomerView, OffboardingView } from './customer.ts'
import type { CustomerFormView } from './customer-form.ts'
import type { CustomersView } from './customers.ts'
import type { EndingView } from './ending.ts'
import type { ErrorView } from './errors.ts'
import type { IncidentView, MergedView } from './incident.ts'
import type { QueueView } from './incidents.ts'
import type { JoinView, NotAdminView } from './join.ts'
import type { FirstDayView, OverviewView } from './overview.ts'
import type { PauseView } from './pause.ts'
import type { SettingsView } from './settings.ts'
import type { DoctorView, SetupView } from './setup.ts'
import type { SignedOutView, SignInView } from './sign-in.ts'
import type { SyncsView } from './tenant-syncs.ts'
import type { TenantView } from './tenants.ts'

/**
 * Every template, and what it is given: a forgotten value is a compile error. A page module declares the type of its
 * view and names it here.
 */
export interface Views {
  'errors/error': ErrorView
  'sign-in/sign-in': SignInView
  'sign-in/signed-out': SignedOutView
  'join/join': JoinView
  'join/not-admin': NotAdminView
  'join/attempt': AttemptView
  'join/ending': EndingView
  'overview/overview': OverviewView
  'overview/first-day': FirstDayView
  'incidents/queue': QueueView
  'incidents/incident': IncidentView
  'incidents/merged': MergedView
  'customers/customers': CustomersView
  'customers/customer': CustomerView
  'customers/form': CustomerFormView
  'customers/offboarding': OffboardingView
  'tenants/tenant': TenantView
  'tenants/syncs': SyncsView
  'audit/audit': AuditView
  'pause/pause': PauseView
  'settings/settings': SettingsView
  'setup/setup': SetupView
  'setup/doctor': DoctorView
}

import { pathValue } from '../http/forms.ts'
import { alive, ready } from '../http/health.ts'
import type { Route } from '../http/route.ts'
import { addTenant, showCustomer } from './customers/customer.ts'
import { showCustomers } from './customers/customers.ts'
import { addCustomer, editCustomer, showCustomerForm, showNewCustomer } from './customers/form.ts'
import { addLink, withdraw } from './customers/links.ts'
import { offboard, showOffboarding, takeBack } from './customers/offboarding.ts'
import { confirm, dismiss } from './customers/reviews.ts'
import { showIncident } from './incidents/incident.ts'
import { takeNoteAway, writeNote } from './incidents/note-forms.ts'
import { showIncidents, showTenantIncidents } from './incidents/queue.ts'
import { addAttemptAgain, showAttempt } from './join/attempt.ts'
import { returnFromConsent } from './join/callback.ts'
import { addAttempt, addOpening, joinPageAgain, showJoin, showNotAdmin } from './join/join.ts'
import { addSightings, showAlarm, showAlarms } from './notify/alarms.ts'
import { replayOne, showDeliveries } from './notify/deliveries.ts'
import { addNewDestination, editDestination, showDestination, showNewDestination } from './notify/destination.ts'
import {
  addSecret,
  addTest,
  pauseOne,
  removeOne,
  replayAll,
  resumeOne,
  retireOldSecret,
} from './notify/destination-acts.ts'
import { saveAlarmSettings, saveMailServer, showDestinations } from './notify/destinations.ts'
import { saveScope, showScope } from './operators/scope.ts'
import { endOthers, endSession, showSessions } from './operators/sessions.ts'
import { showOverview } from './overview/overview.ts'
import { showAudit } from './partner/audit/audit.ts'
import { exportAudit } from './partner/audit/audit-export.ts'
import { saveCredentialEnds } from './partner/credentials-form.ts'
import { pauseAll, resumeAll, showPause } from './partner/pause.ts'
import { savePermissions } from './partner/permissions-form.ts'
import { saveSettings, showSettings } from './partner/settings.ts'
import { showDoctor, showSetup } from './partner/setup.ts'
import { showSearch } from './search/search.ts'
import { askAgain } from './sign-in/again.ts'
import { changePreferences } from './sign-in/preferences.ts'
import { showRefusedSignIn } from './sign-in/refused.ts'
import {
  returnFromSignIn,
  showSignedOut,
  showSignIn,
  signInPageAgain,
  signOut,
  startSignIn,
} from './sign-in/sign-in.ts'
import { addSync, addWindow, pause, resume } from './tenants/controls.ts'
import { showSyncs } from './tenants/syncs.ts'
import { addCheck, showTenant } from './tenants/tenant.ts'

/** Every route there is, with who may use it. What is not here does not exist. */
export const routes: readonly Route[] = [
  // For whoever runs the portal
  { method: 'GET', path: '/healthz', access: 'public', anyHost: true, handler: alive },
  { method: 'GET', path: '/readyz', access: 'public', anyHost: true, handler: ready },

  // Signing in and out
  { method: 'GET', path: '/sign-in', access: 'public', limit: 'page', readsSession: true, handler: showSignIn },
  {
    method: 'POST',
    path: '/auth/login',
    access: 'public',
    limit: 'start',
    formPage: signInPageAgain,
    handler: startSignIn,
  },
  {
    method: 'GET',
    path: '/auth/callback',
    access: 'public',
    limit: 'return',
    readsSession: true,
    getChanges: true,
    handler: returnFromSignIn,
  },
  {
    method: 'GET',
    path: '/auth/again',
    access: 'public',
    limit: 'start',
    readsSession: true,
    getChanges: true,
    handler: askAgain,
  },
  { method: 'GET', path: '/auth/refused', access: 'public', limit: 'page', handler: showRefusedSignIn },
  { method: 'POST', path: '/auth/logout', access: 'signed-in', handler: signOut },
  { method: 'GET', path: '/signed-out', access: 'public', limit: 'page', handler: showSignedOut },
  { method: 'POST', path: '/preferences', access: 'signed-in', handler: changePreferences },

  // What a customer's administrator sees
  { method: 'GET', path: '/join/:token', access: 'public', limit: 'page', handler: showJoin },
  { method: 'GET', path: '/join/:token/not-admin', access: 'public', limit: 'page', handler: showNotAdmin },
  { method: 'POST', path: '/join/:token/opening', access: 'public', limit: 'page', handler: addOpening },
  {
    method: 'POST',
    path: '/join/:token/attempts',
    access: 'public',
    limit: 'start',
    formPage: joinPageAgain,
    handler: addAttempt,
  },
  {
    method: 'GET',
    path: '/consent/callback',
    access: 'public',
    limit: 'return',
    getChanges: true,
    handler: returnFromConsent,
  },
  { method: 'GET', path: '/consent/:attemptId', access: 'customer-browser', limit: 'page', handler: showAttempt },
  {
    method: 'POST',
    path: '/consent/:attemptId/attempts',
    access: 'customer-browser',
    limit: 'start',
    formPage: (req) => `/consent/${pathValue(req, 'attemptId')}`,
    handler: addAttemptAgain,
  },

  // What is going on
  { method: 'GET', path: '/', access: 'Reader', handler: showOverview },
  { method: 'GET', path: '/search', access: 'Reader', handler: showSearch },
  { method: 'GET', path: '/incidents', access: 'Reader', handler: showIncidents },
  { method: 'GET', path: '/tenants/:tenantId/incidents', access: 'Reader', handler: showTenantIncidents },
  { method: 'GET', path: '/tenants/:tenantId/incidents/:incidentId', access: 'Reader', handler: showIncident },
  { method: 'POST', path: '/tenants/:tenantId/incidents/:incidentId/notes', access: 'Analyst', handler: writeNote },
  { method: 'POST', path: '/tenants/:tenantId/notes/:noteId/removal', access: 'Analyst', handler: takeNoteAway },

  // Customers, and their way from link to incidents
  { method: 'GET', path: '/customers', access: 'Reader', handler: showCustomers },
  { method: 'POST', path: '/customers', access: 'Admin', wholePortal: true, handler: addCustomer },
  { method: 'GET', path: '/customers/new', access: 'Admin', wholePortal: true, handler: showNewCustomer },
  { method: 'GET', path: '/customers/:id', access: 'Reader', handler: showCustomer },
  { method: 'POST', path: '/customers/:id', access: 'Admin', handler: editCustomer },
  { method: 'GET', path: '/customers/:id/edit', access: 'Admin', handler: showCustomerForm },
  { method: 'POST', path: '/customers/:id/links', access: 'Admin', handler: addLink },
  { method: 'POST', path: '/customers/:id/tenants', access: 'Admin', handler: addTenant },
  { method: 'GET', path: '/customers/:id/offboarding', access: 'Admin', handler: showOffboarding },
  { method: 'POST', path: '/customers/:id/offboarding', access: 'Admin', handler: offboard },
  { method: 'POST', path: '/customers/:id/reinstatement', access: 'Admin', handler: takeBack },
  { method: 'POST', path: '/links/:id/withdrawal', access: 'Admin', handler: withdraw },
  { method: 'POST', path: '/reviews/:id/confirmation', access: 'Admin', handler: confirm },
  { method: 'POST', path: '/reviews/:id/dismissal', access: 'Admin', handler: dismiss },

  // Tenants
  { method: 'GET', path: '/tenants/:tenantId', access: 'Reader', handler: showTenant },
  { method: 'POST', path: '/tenants/:tenantId/checks', access: 'Analyst', handler: addCheck },
  { method: 'GET', path: '/tenants/:tenantId/syncs', access: 'Reader', handler: showSyncs },
  { method: 'POST', path: '/tenants/:tenantId/syncs', access: 'Analyst', handler: addSync },
  { method: 'POST', path: '/tenants/:tenantId/windows', access: 'Analyst', handler: addWindow },
  { method: 'POST', path: '/tenants/:tenantId/pause', access: 'Admin', handler: pause },
  { method: 'POST', path: '/tenants/:tenantId/resumption', access: 'Admin', handler: resume },

  // The portal itself
  { method: 'GET', path: '/pause', access: 'Admin', wholePortal: true, handler: showPause },
  { method: 'POST', path: '/pause', access: 'Admin', wholePortal: true, handler: pauseAll },
  { method: 'POST', path: '/resumption', access: 'Admin', wholePortal: true, handler: resumeAll },
  { method: 'GET', path: '/audit', access: 'Admin', handler: showAudit },
  { method: 'GET', path: '/audit/export', access: 'Admin', getChanges: true, handler: exportAudit },

  // What people are told
  { method: 'GET', path: '/alarms', access: 'Reader', handler: showAlarms },
  { method: 'POST', path: '/alarms/sightings', access: 'Analyst', handler: addSightings },
  { method: 'GET', path: '/alarms/:id', access: 'Reader', handler: showAlarm },
  { method: 'GET', path: '/destinations', access: 'Admin', wholePortal: true, handler: showDestinations },
  { method: 'POST', path: '/destinations', access: 'Admin', wholePortal: true, handler: addNewDestination },
  { method: 'GET', path: '/destinations/new', access: 'Admin', wholePortal: true, handler: showNewDestination },
  { method: 'POST', path: '/destinations/settings', access: 'Admin', wholePortal: true, handler: saveAlarmSettings },
  { method: 'POST', path: '/destinations/mail-server', access: 'Admin', wholePortal: true, handler: saveMailServer },
  { method: 'GET', path: '/destinations/:id', access: 'Admin', wholePortal: true, handler: showDestination },
  { method: 'POST', path: '/destinations/:id', access: 'Admin', wholePortal: true, handler: editDestination },
  { method: 'POST', path: '/destinations/:id/tests', access: 'Admin', wholePortal: true, handler: addTest },
  { method: 'POST', path: '/destinations/:id/pause', access: 'Admin', wholePortal: true, handler: pauseOne },
  { method: 'POST', path: '/destinations/:id/resumption', access: 'Admin', wholePortal: true, handler: resumeOne },
  { method: 'POST', path: '/destinations/:id/removal', access: 'Admin', wholePortal: true, handler: removeOne },
  { method: 'POST', path: '/destinations/:id/secrets', access: 'Admin', wholePortal: true, handler: addSecret },
  {
    method: 'POST',
    path: '/destinations/:id/secrets/retirement',
    access: 'Admin',
    wholePortal: true,
    handler: retireOldSecret,
  },
  { method: 'POST', path: '/destinations/:id/replays', access: 'Admin', wholePortal: true, handler: replayAll },
  { method: 'GET', path: '/deliveries', access: 'Admin', wholePortal: true, handler: showDeliveries },
  { method: 'POST', path: '/deliveries/:id/replays', access: 'Admin', wholePortal: true, handler: replayOne },

  { method: 'GET', path: '/setup', access: 'Admin', wholePortal: true, getChanges: true, handler: showSetup },
  { method: 'GET', path: '/doctor', access: 'Admin', wholePortal: true, getChanges: true, handler: showDoctor },
  { method: 'GET', path: '/sessions', access: 'Admin', wholePortal: true, handler: showSessions },
  { method: 'POST', path: '/sessions/endings', access: 'Admin', wholePortal: true, handler: endOthers },
  { method: 'POST', path: '/sessions/:id/ending', access: 'Admin', wholePortal: true, handler: endSession },
  { method: 'GET', path: '/settings', access: 'Reader', getChanges: true, handler: showSettings },
  { method: 'POST', path: '/settings', access: 'Admin', wholePortal: true, handler: saveSettings },
  { method: 'GET', path: '/settings/people/:id/scope', access: 'Admin', wholePortal: true, handler: showScope },
  { method: 'POST', path: '/settings/people/:id/scope', access: 'Admin', wholePortal: true, handler: saveScope },
  {
    method: 'POST',
    path: '/settings/credential-ends',
    access: 'Admin',
    wholePortal: true,
    handler: saveCredentialEnds,
  },
  { method: 'POST', path: '/settings/permissions', access: 'Admin', wholePortal: true, handler: savePermissions },
]

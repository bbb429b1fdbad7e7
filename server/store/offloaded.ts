// What the store's thread may be asked for by its name: a module that names a change is imported here.
import './notify/outbox.ts'
import './notify/outcomes.ts'
import './sync/budgets.ts'
import './sync/syncs.ts'
import './sync/window-pages.ts'
import './sync/window-runs.ts'

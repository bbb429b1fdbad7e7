// A simulated Microsoft in a process of its own, so that what it costs is not counted as the portal's.
import { startSimulator } from '../dist/simulator/simulator.js'

const { tenants, incidents, clientId, clientSecret, partnerTenantId } = JSON.parse(process.argv[2])
const simulator = await startSimulator({
  registrations: [
    {
      clientId,
      secrets: [{ value: clientSecret }],
      redirectUris: [],
      audience: 'multi',
      homeTenantId: partnerTenantId,
      displayName: 'Bench',
      publisher: 'Bench',
      requiredResources: [{ resource: 'mtp', roles: ['Incident.Read.All'] }],
    },
  ],
})
simulator.world.manners.quotas = false
for (const [index, id] of tenants.entries()) {
  simulator.world.addTenant({ id, displayName: `Tenant ${index}`, domains: [`tenant${index}.example`] })
  simulator.world.consent(id, clientId)
  simulator.world.generate(id, incidents, { seed: index + 1 })
}
process.on('disconnect', () => process.exit(0))
process.send({ origin: simulator.origin })

import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { onEachEngine, startTestPortal, type TestPortal } from '../support/portal.ts'
import { type Program, startProgram } from '../support/programs.ts'
import { until } from '../support/waiting.ts'
import { answerStatus, type Receiver, startReceiver } from './receivers.ts'
import { loopbackAllowed, messages, minute, webhookTo } from './stage.ts'

onEachEngine('processes that are killed while there is something to tell', (engine) => {
  let here: TestPortal
  let receiver: Receiver
  const programs: Program[] = []
  beforeEach(async () => {
    here = await startTestPortal(engine, { config: loopbackAllowed })
    receiver = await startReceiver()
    await webhookTo(here, receiver.url)
  })
  afterEach(async () => {
    for (const program of programs.splice(0)) {
      program.kill('SIGKILL')
      await program.ended()
    }
    await receiver.close()
    await here.close()
  })

  /** A process with the database of the portal here, its clock so far ahead of ours. */
  const start = (aheadMs: number, subjects: string[] = []) => {
    const program = startProgram('courier.ts', [JSON.stringify({ config: here.portal.config, aheadMs, subjects })])
    programs.push(program)
    return program
  }
  const idsReceived = () => receiver.received.map(({ headers }) => String(headers['webhook-id']))

  test('lose nothing, and send nothing twice but what was under way: the log says which', async () => {
    const subjects = Array.from({ length: 40 }, (_, n) => `disk ${n}`)
    const [writing, sending, last] = [start(0, subjects), start(0), start(3 * minute)]
    await Promise.all([writing, sending, last].map((program) => program.line('raised')))
    // Between writing and sending.
    writing.kill('SIGKILL')
    await writing.ended()
    expect(receiver.received).toEqual([])

    // Between sending and noting: some have their answer, others wait for it, and of some nobody has heard yet.
    receiver.answerWith((res, one) => {
      if (receiver.received.length === 20) sending.kill('SIGKILL')
      if (receiver.received.length <= 20) answerStatus(204)(res, one)
    })
    sending.tell('go')
    await sending.ended()
    const before = idsReceived()
    expect(before.length).toBeGreaterThanOrEqual(20)
    const noted = (await messages(here)).filter(({ state }) => state === 'delivered').map(({ id }) => id)
    expect(noted.length).toBeLessThan(before.length)

    receiver.answerWith(answerStatus(204))
    last.tell('go')
    const isOver = async () => (await messages(here)).every(({ state }) => state === 'delivered')
    await until(isOver, { what: 'the end of what was to be sent' })

    const all = await messages(here)
    expect(all).toHaveLength(subjects.length)
    const received = idsReceived()
    expect(new Set(received)).toEqual(new Set(all.map(({ id }) => id)))
    const twice = received.filter((id, i) => received.indexOf(id) !== i)
    const interrupted = all.filter(({ tries }) => tries.some(({ outcome }) => outcome === 'interrupted'))
    expect(twice.length).toBeGreaterThan(0)
    expect(interrupted.map(({ id }) => id)).toEqual(expect.arrayContaining(twice))
    // What came and was not noted was under way, and that is at most what a destination is given in two goes.
    expect(new Set(twice)).toEqual(new Set(before.filter((id) => !noted.includes(id))))
    expect(interrupted.length).toBeLessThanOrEqual(32)
    for (const id of noted) expect(received.filter((one) => one === id)).toHaveLength(1)
  })
})

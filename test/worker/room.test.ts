import { describe, expect, test } from '@jest/globals'
import { Room } from '../../server/worker/room.ts'

/** What has happened once everything that can go on has gone on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await null
}

/** Asks for a place and notes its name when it is let in. */
function asking(room: Room, into: string[]) {
  return (name: string, bytes: number, rank = 0, signal?: AbortSignal) =>
    room.enter(bytes, rank, signal).then((place) => {
      into.push(name)
      return place
    })
}

describe('room for answers', () => {
  test('is given up to its bytes, then in the order of asking', async () => {
    const inside: string[] = []
    const room = new Room(100)
    const enter = asking(room, inside)
    const [a] = await Promise.all([enter('a', 60), enter('b', 40)])
    const c = enter('c', 10)
    const d = enter('d', 5)
    await settled()
    expect([inside, room.taken]).toEqual([['a', 'b'], 100])
    a.leave()
    await Promise.all([c, d])
    expect([inside, room.taken]).toEqual([['a', 'b', 'c', 'd'], 55])
  })

  test('goes to the more urgent first, whoever asked before', async () => {
    const inside: string[] = []
    const room = new Room(100)
    const enter = asking(room, inside)
    const first = await enter('first', 100)
    const late = [enter('history', 50, 4), enter('poll', 50, 2), enter('check', 50, 0)]
    await settled()
    first.leave()
    await settled()
    expect(inside).toEqual(['first', 'check', 'poll'])
    for (const one of late.slice(1)) (await one).leave()
    await late[0]
    expect(inside.at(-1)).toBe('history')
  })

  test('does not let a small one past a large one that has waited longer', async () => {
    const inside: string[] = []
    const room = new Room(100)
    const enter = asking(room, inside)
    const a = await enter('a', 90)
    const large = enter('large', 50)
    const small = enter('small', 5)
    await settled()
    expect(inside).toEqual(['a'])
    a.leave()
    await Promise.all([large, small])
    expect(inside).toEqual(['a', 'large', 'small'])
  })

  test('takes what is larger than all of it when it is empty, and nothing beside it', async () => {
    const inside: string[] = []
    const room = new Room(100)
    const enter = asking(room, inside)
    const a = await enter('a', 10)
    const giant = enter('giant', 1_000)
    await settled()
    expect(inside).toEqual(['a'])
    a.leave()
    const place = await giant
    const after = enter('after', 10)
    await settled()
    expect(inside).toEqual(['a', 'giant'])
    place.leave()
    await after
  })

  test('lets everybody in who turns out to be longer, one after the other: nobody waits for ever', async () => {
    const room = new Room(100)
    const places = await Promise.all(Array.from({ length: 5 }, () => room.enter(20, 1)))
    const grown: number[] = []
    const growing = places.map(async (place, index) => {
      await place.hold(60)
      grown.push(index)
      place.leave()
    })
    await Promise.all(growing)
    expect(grown).toEqual([0, 1, 2, 3, 4])
    expect(room.taken).toBe(0)
  })

  test('is never passed by more than one who was in longest', async () => {
    const room = new Room(100)
    const places = await Promise.all(Array.from({ length: 5 }, () => room.enter(20, 1)))
    let most = 0
    await Promise.all(
      places.map(async (place) => {
        await place.hold(90)
        most = Math.max(most, room.taken)
        place.leave()
      }),
    )
    expect(most).toBeLessThanOrEqual(100 + 90)
  })

  test('comes back when less is held, and when who waits gives up', async () => {
    const room = new Room(100)
    const a = await room.enter(100, 1)
    const ending = new AbortController()
    const gone = room.enter(80, 1, ending.signal)
    const b = room.enter(30, 1)
    ending.abort(new Error('stopped'))
    await expect(gone).rejects.toThrow('stopped')
    await expect(room.enter(1, 1, ending.signal)).rejects.toThrow('stopped')
    await a.hold(60)
    await b
    expect(room.taken).toBe(90)
    a.leave()
    a.leave()
    expect(room.taken).toBe(30)
  })

  test('is not kept by who left while he waited for more', async () => {
    const room = new Room(100)
    const [a, b] = await Promise.all([room.enter(60, 1), room.enter(40, 1)])
    const more = b.hold(80)
    b.leave()
    a.leave()
    await more
    expect(room.taken).toBe(0)
  })
})

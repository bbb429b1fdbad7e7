import { describe, expect, test } from '@jest/globals'
import { openFromStore, sealForStore } from '../../server/config/data-keys.ts'

const session = ['zY8xW6vU4tS2rQ0pO9nM7lK5jI3hG1fE']
const [first, second] = ['a-key-of-its-own-0123456789abcdef', 'another-key-0123456789abcdefghijk'] as [string, string]

describe('what the database keeps sealed', () => {
  test('opens with the key that sealed it, in the place it was sealed for, and for that purpose', () => {
    const keys = { dataKeys: [first], sessionSecrets: session }
    const sealed = sealForStore(keys, 'destination', 'destinations d1', 'https://hooks.example.com/åå')
    expect(sealed).toMatch(/^s1\.[0-9a-f]{12}\.[\w-]+$/)
    expect(openFromStore(keys, 'destination', 'destinations d1', sealed)).toEqual({
      text: 'https://hooks.example.com/åå',
      current: true,
    })
    expect(openFromStore(keys, 'destination', 'destinations d2', sealed)).toBeNull()
    expect(openFromStore(keys, 'link', 'destinations d1', sealed)).toBeNull()
    expect(openFromStore({ ...keys, dataKeys: [second] }, 'destination', 'destinations d1', sealed)).toBeNull()
  })

  test('is never the same twice, and tells nothing of the text', () => {
    const keys = { dataKeys: [first], sessionSecrets: session }
    const twice = [1, 2].map(() => sealForStore(keys, 'destination', 'd', 'the same text'))
    expect(new Set(twice).size).toBe(2)
    expect(twice.join()).not.toContain('text')
  })

  test('opens with an older key, and says that it has to be sealed anew', () => {
    const before = sealForStore({ dataKeys: [first], sessionSecrets: session }, 'p', 'd', 'text')
    const turned = { dataKeys: [second, first], sessionSecrets: session }
    expect(openFromStore(turned, 'p', 'd', before)).toEqual({ text: 'text', current: false })
    const anew = sealForStore(turned, 'p', 'd', 'text')
    expect(openFromStore({ ...turned, dataKeys: [second] }, 'p', 'd', anew)).toEqual({ text: 'text', current: true })
  })

  test('is sealed by the session’s secret while there is no other, and opens once there is', () => {
    const before = sealForStore({ dataKeys: [], sessionSecrets: session }, 'p', 'd', 'text')
    expect(openFromStore({ dataKeys: [], sessionSecrets: session }, 'p', 'd', before)?.current).toBe(true)
    expect(openFromStore({ dataKeys: [first], sessionSecrets: session }, 'p', 'd', before)).toEqual({
      text: 'text',
      current: false,
    })
  })

  test.each(['', 's1', 's1.x.y', 's2.000000000000.AAAA', 's1.000000000000.AAAA'])('is not %j', (text) => {
    expect(openFromStore({ dataKeys: [first], sessionSecrets: session }, 'p', 'd', text)).toBeNull()
  })

  test('altered in any character, does not open', () => {
    const keys = { dataKeys: [first], sessionSecrets: session }
    const sealed = sealForStore(keys, 'p', 'd', 'text')
    for (let i = 0; i < sealed.length; i++) {
      const altered = sealed.slice(0, i) + (sealed[i] === 'A' ? 'B' : 'A') + sealed.slice(i + 1)
      // The last character of base64url holds bits that stand for nothing.
      if (i < sealed.length - 1) expect(openFromStore(keys, 'p', 'd', altered)).toBeNull()
    }
  })
})

import type { Language } from '../words.ts'

/** What one destination is told: words of its language and no more than it may say, and the same for machines. */
export interface Message {
  /** Of the row in the outbox: stays the same over every try. */
  id: string
  /** Dotted: `alarm.access_lost.raised`. */
  type: string
  /** When what it tells happened, UTC. */
  at: string
  language: Language
  /** The kind of alarm, in words. */
  kind: string
  /** How it is drawn: something is wrong, a person should know, it is over or good. */
  tone: 'bad' | 'notice' | 'good'
  /** One line. */
  heading: string
  /** A sentence or two. */
  text: string
  rows: readonly { label: string; value: string }[]
  /** One way back to the portal; null where there is nothing to look at. */
  link: { label: string; url: string } | null
  /** Why it was sent here, and where that is changed. */
  why: { text: string; url: string } | null
  /** Groups what belongs together: the alarm's ID. */
  thread: string
  /** For machines; holds no name that the destination may not have. */
  data: Record<string, unknown>
}

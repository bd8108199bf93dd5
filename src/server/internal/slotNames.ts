/**
 * The names of slots that cookies stand for. A sign-in is stored under a name that only a cookie leads to; what is not
 * named so belongs to nobody in particular, and is not stored.
 */

export const sessionSlot = (id: string): string => `session~${id}`

/** The slot of somebody who is not signed in. */
export const visitorSlot = (id: string): string => `visitor~${id}`

export const isSessionSlot = (slot: string): boolean => slot.startsWith("session~")

/** The visitor's slot within a name: whose it is. */
export const ownerOf = (slot: string): string | undefined => /(?:session|visitor)~[A-Za-z0-9_-]{22,43}/.exec(slot)?.[0]

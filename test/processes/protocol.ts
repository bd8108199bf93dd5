/** What the test and its worker processes say to each other. */

export type StoreConfig =
  | { readonly kind: "redis"; readonly port: number }
  | { readonly kind: "postgres"; readonly port: number }
  | { readonly kind: "sqlite"; readonly file: string }

/** Where a process can be stopped while it refreshes, in the order of things. */
export const steps = [
  /** It has the lock, and has read nothing. */
  "locked",
  /** It is about to mark the refresh token as sent. */
  "marking",
  /** The mark is in the storage, and the process has not heard of it. */
  "marked",
  /** The request is about to go out. */
  "sending",
  /** The answer is there, and nobody has looked at it. */
  "answered",
  /** The new pair is about to be written. */
  "writing",
  /** The new pair is in the storage, and the process has not heard of it. */
  "written",
  /** Everything is done but giving back the lock. */
  "releasing"
] as const

export type Step = (typeof steps)[number]

export interface ClientConfig {
  readonly store: StoreConfig
  readonly slot: string
  readonly url: string
  readonly appToken: string
  /** Milliseconds. */
  readonly lease?: number | undefined
  readonly timeout?: number | undefined
  readonly timeToLive?: number | undefined
  /** Encrypts what is stored. */
  readonly key?: string | undefined
  /** Stops the process (SIGSTOP) when it gets there, once. */
  readonly stopAt?: Step | undefined
}

export type Command =
  /** A client of its own with nothing in memory; the one before is forgotten. */
  | { readonly _tag: "Open"; readonly config: ClientConfig }
  | { readonly _tag: "SignIn" }
  /** Gets the profile, so many times at once. */
  | { readonly _tag: "Call"; readonly count: number }
  /** Whether this process believes that somebody is signed in. */
  | { readonly _tag: "Peek" }

export type Outcome =
  | { readonly _tag: "Success"; readonly user: string }
  | { readonly _tag: "Failure"; readonly error: string; readonly reason: string }

export type Request = Command & { readonly id: number }

export type Message =
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Reply"; readonly id: number; readonly outcomes: ReadonlyArray<Outcome> }
  /** It is there, and stops. */
  | { readonly _tag: "At"; readonly step: Step }
  /** It has been woken up. */
  | { readonly _tag: "Awake" }
  /** It asks for the lock. */
  | { readonly _tag: "Locking" }
  /** What the session told its listeners. */
  | { readonly _tag: "Event"; readonly event: string; readonly reason: string }

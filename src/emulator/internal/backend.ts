/** What every endpoint works with: the project, the state, tokens, codes and the log. */
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { Active, Fault } from "../Fault.ts"
import type * as Messages from "../Messages.ts"
import type * as Project from "../Project.ts"
import type { Entry } from "../RequestLog.ts"
import type { Code, Session, User } from "../Snapshot.ts"
import { base64Url, equalText, hex, utf8 } from "./bytes.ts"
import type { Passwords } from "./password.ts"
import { Places } from "./places.ts"
import type { Random } from "./random.ts"
import { hmacSha256 } from "./sha256.ts"
import type { State } from "./state.ts"

export interface Device {
  readonly fingerprint: string
  readonly deviceInfo: Session["deviceInfo"]
}

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

export type LogEntry = Mutable<Entry>

/** What the API description says of an endpoint. */
export interface Described {
  readonly operation: string
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  readonly path: string
  readonly summary: string
  /** Whether `x-device-metadata` is looked at, and a bearer. */
  readonly device: "required" | "optional" | undefined
  readonly bearer: "required" | "optional" | undefined
  /** Whether anybody may ask, without the app token. */
  readonly open: boolean
  readonly query: Readonly<Record<string, Schema.Top>>
  readonly body: Schema.Top | undefined
  readonly multipart: Schema.Top | undefined
  readonly answer: Schema.Top | "empty" | "raw" | "refusal"
  readonly status: number
  readonly refuses: ReadonlyArray<Messages.Name>
}

export interface Limits {
  readonly bodyBytes: number
  readonly headerBytes: number
  readonly nesting: number
  readonly logEntries: number
}

export type Fetch = (input: string, init: RequestInit) => Promise<Response>

export interface Config {
  readonly project: Project.Project
  readonly appToken: string
  readonly state: State
  readonly random: Random
  readonly passwords: Passwords
  readonly limits: Limits
  readonly fetch: Fetch
  /** Keeps what changed; false when that failed, and then it is tried again with the next change. */
  readonly flush: Effect.Effect<boolean>
}

export interface MutableFault extends Fault {
  readonly id: number
  readonly pattern: Glob | undefined
  hits: number
}

/** Whether a text is as a pattern with `*` for anything says; in the time that one look at the text takes. */
const glob =
  (pattern: string) =>
  (text: string): boolean => {
    const [first = "", ...parts] = pattern.split("*")
    const last = parts.pop()
    if (last === undefined) return text === first
    if (!text.startsWith(first)) return false
    let from = first.length
    for (const part of parts) {
      const at = text.indexOf(part, from)
      if (at === -1) return false
      from = at + part.length
    }
    return text.length - last.length >= from && text.endsWith(last)
  }

type Glob = ReturnType<typeof glob>

const upper = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

const jwtHeader = base64Url(utf8(JSON.stringify({ alg: "HS256", typ: "JWT" })))

export class Backend {
  readonly project: Project.Project
  readonly switches: Project.Switches
  readonly appToken: string
  readonly state: State
  readonly random: Random
  readonly passwords: Passwords
  readonly limits: Limits
  readonly fetch: Fetch
  readonly flush: Effect.Effect<boolean>
  readonly providers: ReadonlyMap<string, Project.Provider & { readonly id: number }>
  readonly forms: ReadonlyMap<string, Project.Form & { readonly id: number }>
  readonly groupIds: ReadonlyMap<string, number>
  readonly permissions: ReadonlyArray<Project.Permission & { readonly pattern: Glob | undefined; readonly id: number }>
  readonly defaultLanguage: string
  url = ""
  /** The endpoints that answer, in the order of their registration. */
  readonly described: Array<Described> = []
  /** Where requests went, by method and URL. */
  readonly places = new Places()
  /** Devices by the header that told of them. */
  readonly devices = new Map<string, Device>()
  clockOffset = 0
  requests: Array<LogEntry> = []
  requestCount = 0
  /** The last request before a reset: what is still under way of those before changes nothing, and is not listed. */
  forgotten = 0
  faults: Array<MutableFault> = []
  private nextFault = 1
  private readonly signers = new Map<string, (message: Uint8Array) => Uint8Array>()
  readonly watchers = new Set<() => void>()
  /** Access tokens that outlive a refresh, when the project says so. */
  readonly olderAccess = new Map<string, { readonly sessionId: number; readonly expiresAt: number }>()

  constructor(config: Config) {
    this.project = config.project
    this.switches = config.project.switches
    this.appToken = config.appToken
    this.state = config.state
    this.random = config.random
    this.passwords = config.passwords
    this.limits = config.limits
    this.fetch = config.fetch
    this.flush = config.flush
    this.defaultLanguage = config.project.languages[0]
    const numbered = <A extends { readonly id?: number | undefined; readonly identifier: string }>(
      items: ReadonlyArray<A>
    ): ReadonlyMap<string, A & { readonly id: number }> => {
      const taken = new Set(items.map((item) => item.id))
      let next = 1
      return new Map(
        items.map((item) => {
          if (item.id !== undefined) return [item.identifier, { ...item, id: item.id }]
          while (taken.has(next)) next++
          taken.add(next)
          return [item.identifier, { ...item, id: next }]
        })
      )
    }
    this.providers = numbered(config.project.providers)
    this.forms = numbered(config.project.forms)
    this.groupIds = new Map(config.project.groups.map((group) => [group.identifier, group.id]))
    this.permissions = config.project.permissions.map((permission, index) => ({
      ...permission,
      pattern: permission.route === undefined ? undefined : glob(permission.route),
      id: index + 1
    }))
  }

  // -- change signals ---------------------------------------------------------

  changed(): void {
    for (const watcher of this.watchers) watcher()
  }

  record(entry: LogEntry): void {
    if (entry.id <= this.forgotten) return
    this.requests.push(entry)
    if (this.requests.length >= this.limits.logEntries * 2) {
      this.requests = this.requests.slice(-this.limits.logEntries)
    }
    if (this.watchers.size > 0) this.changed()
  }

  // -- faults -----------------------------------------------------------------

  addFault(fault: Fault): Active {
    const active: Active = { ...fault, id: this.nextFault++, hits: 0 }
    this.faults.push({ ...active, pattern: fault.route === undefined ? undefined : glob(fault.route) })
    return active
  }

  /** Whether requests can be of an operation; one that is misspelt would never match. */
  knows(operation: string): boolean {
    return this.described.some((one) => one.operation === operation)
  }

  hit(operation: string | null, method: string, path: string): MutableFault | undefined {
    for (const fault of this.faults) {
      if (fault.operation !== undefined && fault.operation !== operation) continue
      if (fault.method !== undefined && fault.method !== method) continue
      if (fault.pattern !== undefined && !fault.pattern(path)) continue
      if (fault.count !== undefined && fault.hits >= fault.count) continue
      if (fault.rate !== undefined && this.random.fraction() >= fault.rate) continue
      fault.hits++
      return fault
    }
    return undefined
  }

  // -- tokens -----------------------------------------------------------------

  private signer(provider: Project.Provider): (message: Uint8Array) => Uint8Array {
    const known = this.signers.get(provider.identifier)
    if (known !== undefined) return known
    const name = `secret:${provider.identifier}`
    const stored = this.state.settings.get(name)?.value
    let secret = provider.tokenSecretKey ?? (typeof stored === "string" ? stored : undefined)
    if (secret === undefined) {
      secret = hex(this.random.bytes(32))
      this.state.settings.set({ name, value: secret })
    }
    const sign = hmacSha256(utf8(secret))
    this.signers.set(provider.identifier, sign)
    return sign
  }

  forgetSigners(): void {
    this.signers.clear()
  }

  private tokens(provider: Project.Provider, user: User, now: number) {
    const iat = Math.floor(now / 1000)
    const exp = iat + provider.config.accessTokenTtlSec
    // `jti` is ours: without it two tokens of one second would be the same text.
    const payload = base64Url(
      utf8(
        JSON.stringify({
          id: user.id,
          authProviderIdentifier: provider.identifier,
          userIdentifier: user.login,
          iat,
          exp,
          jti: this.random.uuid()
        })
      )
    )
    const signed = `${jwtHeader}.${payload}`
    return {
      accessToken: `${signed}.${base64Url(this.signer(provider)(utf8(signed)))}`,
      accessExpiresAt: exp * 1000,
      refreshToken: `${String(now).padStart(13, "0")}-${this.random.uuid()}`,
      refreshExpiresAt: now + provider.config.refreshTokenTtlMc * 1000
    }
  }

  /** Signs a device in; the session that this device had ends. */
  openSession(provider: Project.Provider, user: User, device: Device, now: number): Session {
    for (const old of this.state.sessionsOf(user.id)) {
      if (now >= old.refreshExpiresAt && now >= old.accessExpiresAt) this.state.closeSession(old)
    }
    const before = this.state.sessionByDevice(user.id, device.fingerprint)
    if (before !== undefined) this.state.noteSpent(before.refreshToken, "replaced by a sign-in of the same device")
    return this.state.saveSession({
      id: before?.id ?? this.state.nextId("session"),
      userId: user.id,
      provider: provider.identifier,
      userIdentifier: user.login,
      fingerprint: device.fingerprint,
      deviceInfo: device.deviceInfo,
      ...this.tokens(provider, user, now),
      createdAt: now,
      refreshedAt: null,
      refreshes: 0
    })
  }

  /** Spends a session's refresh token on a new pair. */
  rotate(provider: Project.Provider, user: User, session: Session, now: number): Session {
    this.state.noteSpent(session.refreshToken, "already spent")
    if (this.switches.accessTokenAfterRefresh === "lives") {
      for (const [token, older] of this.olderAccess) if (older.expiresAt <= now) this.olderAccess.delete(token)
      this.olderAccess.set(session.accessToken, { sessionId: session.id, expiresAt: session.accessExpiresAt })
    }
    return this.state.saveSession({
      ...session,
      userIdentifier: user.login,
      ...this.tokens(provider, user, now),
      refreshedAt: now,
      refreshes: session.refreshes + 1
    })
  }

  /** The live session of an access token. */
  sessionOf(accessToken: string, now: number): { readonly session: Session; readonly user: User } | undefined {
    let session = this.state.sessionByAccess(accessToken)
    let expiresAt = session?.accessExpiresAt ?? 0
    if (session === undefined) {
      const older = this.olderAccess.get(accessToken)
      if (older === undefined) return undefined
      session = this.state.sessions.get(older.sessionId)
      expiresAt = older.expiresAt
    }
    if (session === undefined || now >= expiresAt) return undefined
    const user = this.state.users.get(session.userId)
    return user === undefined || user.isDeleted ? undefined : { session, user }
  }

  // -- codes ------------------------------------------------------------------

  issueCode(provider: Project.Provider, user: User, event: string | null, now: number): Code {
    const { systemCodeLength, systemCodeOnlyNumbers, systemCodeTlsSec } = provider.config
    let text = ""
    for (let i = 0; i < systemCodeLength; i++) {
      text += upper.charAt(this.random.below(systemCodeOnlyNumbers === true ? 10 : 36))
    }
    const code = this.state.codes.set({
      userId: user.id,
      code: text,
      event,
      sentAt: now,
      expiresAt: now + systemCodeTlsSec * 1000,
      wrong: 0
    })
    const contact = contactOf(provider, user)
    this.state.send({
      id: this.state.nextId("message"),
      ...contact,
      code: text,
      userIdentifier: user.login,
      marker: provider.identifier,
      event,
      at: now,
      expiresAt: code.expiresAt
    })
    return code
  }

  liveCode(user: User, now: number): Code | undefined {
    const code = this.state.codes.get(user.id)
    if (code === undefined) return undefined
    if (now < code.expiresAt) return code
    this.state.codes.delete(user.id)
    return undefined
  }

  /** Compares a code, and counts when it is wrong; a right one is not consumed here. */
  tryCode(user: User, text: string, now: number): "right" | "wrong" | "exceeded" {
    const code = this.liveCode(user, now)
    if (code === undefined) return "wrong"
    if (equalText(code.code, text)) return "right"
    const wrong = code.wrong + 1
    if (wrong >= this.switches.codeAttempts) {
      this.state.codes.delete(user.id)
      return "exceeded"
    }
    this.state.codes.set({ ...code, wrong })
    return "wrong"
  }

  // -- users ------------------------------------------------------------------

  /** Removes a user who was never activated in time, as the provider's config says. */
  private purge(provider: Project.Provider, user: User | undefined, now: number): User | undefined {
    const days = provider.config.deleteNoneActiveUsersAfterDays
    if (user === undefined || user.isActive || user.isDeleted || days === 0) return user
    if (now - user.updatedAt < days * 86_400_000) return user
    this.state.removeUser(user)
    return undefined
  }

  userByLogin(provider: Project.Provider, login: string, now: number): User | undefined {
    return this.purge(provider, this.state.userByLogin(provider.identifier, login), now)
  }

  liveUser(provider: Project.Provider, login: string, now: number): User | undefined {
    return this.purge(provider, this.state.liveUser(provider.identifier, login), now)
  }

  touch(user: User, now: number, change: Partial<User>): User {
    return this.state.saveUser({ ...user, ...change, updatedAt: now, version: user.version + 1 })
  }
}

/** The backend behind a service, for the modules that stand beside the API. */
export const backends = new WeakMap<object, Backend>()

const contactOf = (
  provider: Project.Provider,
  user: User
): { readonly to: string; readonly channel: "email" | "sms" | "push" } => {
  const data = user.notificationData
  if (provider.type === "phone") return { to: data?.phoneSMS ?? user.login, channel: "sms" }
  if (data?.email !== undefined) return { to: data.email, channel: "email" }
  if (user.login.includes("@")) return { to: user.login, channel: "email" }
  if (data?.phoneSMS !== undefined) return { to: data.phoneSMS, channel: "sms" }
  const push = data?.phonePush?.[0] ?? user.fcmTokens[0]
  return push === undefined ? { to: user.login, channel: "email" } : { to: push, channel: "push" }
}

/** The marker of a form's login field, and of its password field where it has one. */
export const credentialFields = (
  form: Project.Form
): { readonly login: Project.Attribute | undefined; readonly password: Project.Attribute | undefined } => ({
  login: form.attributes.find((attribute) => attribute.isLogin === true),
  password: form.attributes.find(
    (attribute) =>
      attribute.isPassword === true ||
      // how forms older than the flag marked it
      (attribute.isPassword === undefined &&
        attribute.additionalFields.some((field) => field["marker"] === "type" && field["value"] === "password"))
  )
})

/** The tables in memory, their indexes, and the journal of what changed. */
import type {
  Change,
  Code,
  File,
  Message,
  Session,
  Snapshot,
  Submission,
  Subscription,
  TableName,
  User
} from "../Snapshot.ts"

export type Key = string | number

class Table<K extends Key, V> {
  readonly name: TableName
  readonly rows = new Map<K, V>()
  private readonly keyOf: (row: V) => K
  private readonly journal: Journal
  constructor(name: TableName, journal: Journal, keyOf: (row: V) => K) {
    this.name = name
    this.journal = journal
    this.keyOf = keyOf
  }
  get(key: K): V | undefined {
    return this.rows.get(key)
  }
  set(row: V): V {
    const key = this.keyOf(row)
    this.rows.set(key, row)
    this.journal.push(this.name, String(key), row)
    return row
  }
  delete(key: K): boolean {
    const had = this.rows.delete(key)
    if (had) this.journal.push(this.name, String(key), undefined)
    return had
  }
  clear(): void {
    for (const key of this.rows.keys()) this.delete(key)
  }
}

class Journal {
  recording = false
  changes: Array<Change> = []
  /** How many changes there have been. */
  count = 0
  /** Whether changes that were taken are still being written. */
  writing = false
  push(table: TableName, key: string, row: unknown): void {
    if (!this.recording) return
    this.count++
    this.changes.push({ table, key, row })
  }
  /** Whether everything is kept that an answer could show. */
  get settled(): boolean {
    return this.changes.length === 0 && !this.writing
  }
  take(): ReadonlyArray<Change> {
    const changes = this.changes
    this.changes = []
    return changes
  }
  /** What could not be kept comes first the next time. */
  giveBack(changes: ReadonlyArray<Change>): void {
    this.changes = [...changes, ...this.changes]
  }
}

const loginKey = (provider: string, login: string) => `${provider}\n${login.toLowerCase()}`
const deviceKey = (userId: number, fingerprint: string) => `${userId}\n${fingerprint}`
export const subscriptionKey = (row: Subscription) => `${row.userId}\n${row.event}\n${row.productId}`

const maxMessages = 1000
const maxSpent = 10_000

export class State {
  readonly journal = new Journal()
  readonly users = new Table<number, User>("users", this.journal, (row) => row.id)
  readonly sessions = new Table<number, Session>("sessions", this.journal, (row) => row.id)
  readonly codes = new Table<number, Code>("codes", this.journal, (row) => row.userId)
  readonly messages = new Table<number, Message>("messages", this.journal, (row) => row.id)
  readonly submissions = new Table<number, Submission>("submissions", this.journal, (row) => row.id)
  readonly files = new Table<string, File>("files", this.journal, (row) => row.filename)
  readonly subscriptions = new Table<string, Subscription>("subscriptions", this.journal, subscriptionKey)
  readonly settings = new Table<
    string,
    { readonly name: string; readonly value: Snapshot["settings"][number]["value"] }
  >("settings", this.journal, (row) => row.name)

  private readonly byLogin = new Map<string, number>()
  private readonly byOAuth = new Map<string, number>()
  private readonly byAccess = new Map<string, number>()
  private readonly byRefresh = new Map<string, number>()
  private readonly byDevice = new Map<string, number>()
  private readonly byUser = new Map<number, Set<number>>()
  /** Refresh tokens that were spent or revoked: only to say why one is refused. */
  private readonly spent = new Map<string, string>()

  nextId(kind: string): number {
    const name = `next:${kind}`
    const value = this.settings.get(name)?.value
    const id = typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 1
    this.settings.set({ name, value: id + 1 })
    return id
  }

  // users

  saveUser(user: User): User {
    const before = this.users.get(user.id)
    if (before !== undefined) this.unindexUser(before)
    this.byLogin.set(loginKey(user.provider, user.login), user.id)
    if (user.oauthId !== null) this.byOAuth.set(`${user.provider}\n${user.oauthId}`, user.id)
    return this.users.set(user)
  }
  private unindexUser(user: User): void {
    const key = loginKey(user.provider, user.login)
    if (this.byLogin.get(key) === user.id) this.byLogin.delete(key)
    if (user.oauthId !== null) this.byOAuth.delete(`${user.provider}\n${user.oauthId}`)
  }
  /** By provider and login, whatever the case: that is how uniqueness is judged. */
  userByLogin(provider: string, login: string): User | undefined {
    const id = this.byLogin.get(loginKey(provider, login))
    return id === undefined ? undefined : this.users.get(id)
  }
  /** By provider and login in the exact case: that is how sign-in looks, and archived users are not found. */
  liveUser(provider: string, login: string): User | undefined {
    const user = this.userByLogin(provider, login)
    return user === undefined || user.login !== login || user.isDeleted ? undefined : user
  }
  userByOAuth(provider: string, oauthId: string): User | undefined {
    const id = this.byOAuth.get(`${provider}\n${oauthId}`)
    return id === undefined ? undefined : this.users.get(id)
  }
  removeUser(user: User): void {
    this.closeSessions(user.id)
    this.codes.delete(user.id)
    for (const [key, row] of this.subscriptions.rows) if (row.userId === user.id) this.subscriptions.delete(key)
    this.unindexUser(user)
    this.users.delete(user.id)
  }

  // sessions

  saveSession(session: Session): Session {
    const before = this.sessions.get(session.id)
    if (before !== undefined) this.unindexSession(before)
    this.byAccess.set(session.accessToken, session.id)
    this.byRefresh.set(session.refreshToken, session.id)
    this.byDevice.set(deviceKey(session.userId, session.fingerprint), session.id)
    let ids = this.byUser.get(session.userId)
    if (ids === undefined) this.byUser.set(session.userId, (ids = new Set()))
    ids.add(session.id)
    return this.sessions.set(session)
  }
  private unindexSession(session: Session): void {
    this.byAccess.delete(session.accessToken)
    this.byRefresh.delete(session.refreshToken)
    this.byDevice.delete(deviceKey(session.userId, session.fingerprint))
    const ids = this.byUser.get(session.userId)
    ids?.delete(session.id)
    if (ids?.size === 0) this.byUser.delete(session.userId)
  }
  sessionByAccess(token: string): Session | undefined {
    const id = this.byAccess.get(token)
    return id === undefined ? undefined : this.sessions.get(id)
  }
  sessionByRefresh(token: string): Session | undefined {
    const id = this.byRefresh.get(token)
    return id === undefined ? undefined : this.sessions.get(id)
  }
  sessionByDevice(userId: number, fingerprint: string): Session | undefined {
    const id = this.byDevice.get(deviceKey(userId, fingerprint))
    return id === undefined ? undefined : this.sessions.get(id)
  }
  sessionsOf(userId: number): ReadonlyArray<Session> {
    const out: Array<Session> = []
    for (const id of this.byUser.get(userId) ?? []) {
      const session = this.sessions.get(id)
      if (session !== undefined) out.push(session)
    }
    return out
  }
  closeSession(session: Session): void {
    this.unindexSession(session)
    this.sessions.delete(session.id)
    this.noteSpent(session.refreshToken, "session closed")
  }
  closeSessions(userId: number): number {
    const sessions = this.sessionsOf(userId)
    for (const session of sessions) this.closeSession(session)
    return sessions.length
  }
  noteSpent(refreshToken: string, why: string): void {
    this.spent.set(refreshToken, why)
    if (this.spent.size > maxSpent) {
      for (const token of this.spent.keys()) {
        this.spent.delete(token)
        break
      }
    }
  }
  whySpent(refreshToken: string): string | undefined {
    return this.spent.get(refreshToken)
  }

  // the outbox

  send(message: Message): void {
    this.messages.set(message)
    if (this.messages.rows.size > maxMessages) {
      for (const id of this.messages.rows.keys()) {
        this.messages.delete(id)
        break
      }
    }
  }

  // all of it

  clear(): void {
    for (const table of [
      this.users,
      this.sessions,
      this.codes,
      this.messages,
      this.submissions,
      this.files,
      this.subscriptions
    ]) {
      table.clear()
    }
    // ids keep counting, and signing secrets stay
    this.byLogin.clear()
    this.byOAuth.clear()
    this.byAccess.clear()
    this.byRefresh.clear()
    this.byDevice.clear()
    this.byUser.clear()
    this.spent.clear()
  }

  snapshot(): Snapshot {
    return {
      users: [...this.users.rows.values()],
      sessions: [...this.sessions.rows.values()],
      codes: [...this.codes.rows.values()],
      messages: [...this.messages.rows.values()],
      submissions: [...this.submissions.rows.values()],
      files: [...this.files.rows.values()],
      subscriptions: [...this.subscriptions.rows.values()],
      settings: [...this.settings.rows.values()]
    }
  }

  restore(snapshot: Snapshot): void {
    this.clear()
    this.settings.clear()
    for (const row of snapshot.settings) this.settings.set(row)
    for (const row of snapshot.users) this.saveUser(row)
    for (const row of snapshot.sessions) this.saveSession(row)
    for (const row of snapshot.codes) this.codes.set(row)
    for (const row of snapshot.messages) this.messages.set(row)
    for (const row of snapshot.submissions) this.submissions.set(row)
    for (const row of snapshot.files) this.files.set(row)
    for (const row of snapshot.subscriptions) this.subscriptions.set(row)
  }
}

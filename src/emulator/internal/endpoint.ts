/**
 * One endpoint: its place in the router, and the order in which a request is looked at. App token, permission, device
 * header, body, bearer, handler; then the journal is kept, the answer encoded and the log written.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Messages from "../Messages.ts"
import type { Permission } from "../Project.ts"
import type { Session, User } from "../Snapshot.ts"
import type { Backend, Device, LogEntry, MutableFault } from "./backend.ts"
import { equalText } from "./bytes.ts"
import { type Query, queryOf } from "./paging.ts"
import type { Place, Serve } from "./places.ts"
import { Refusal, refusal, statusOf } from "./refusal.ts"
import { type Arrived, arrivedAs } from "./request.ts"
import type { Decode } from "./validate.ts"

/** What a handler is given. */
export interface Exchange<Body, Q extends string = never> {
  readonly backend: Backend
  readonly request: Arrived
  readonly now: number
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: Query<Q>
  readonly body: Body
  readonly device: Device | undefined
  readonly session: Session | undefined
  readonly user: User | undefined
  /** Whether the caller's group may read ten rows at most. */
  readonly restricted: boolean
  readonly log: LogEntry
}

export type Handler<Body, A, Q extends string> = (exchange: Exchange<Body, Q>) => Effect.Effect<A, Refusal>

export interface Endpoint<Body, A, Q extends string = never> {
  readonly operation: string
  readonly summary: string
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  readonly path: HttpRouter.PathInput
  readonly device?: "required" | "optional" | undefined
  readonly bearer?: "required" | "optional" | undefined
  /** What the handler reads of the query, and nothing else is. */
  readonly query?: Readonly<Record<Q, Schema.Top>> | undefined
  readonly body?: Decode<Body> | undefined
  /** The body that the handler reads by itself, as a form of parts. */
  readonly multipart?: Schema.Top | undefined
  /** `refusal` where no request is ever served. */
  readonly answer: Schema.Codec<A, unknown> | "empty" | "raw" | "refusal"
  /** What the handler itself refuses with; what comes before it is known from the rest. */
  readonly refuses?: ReadonlyArray<Messages.Name> | undefined
  readonly status?: number | undefined
  /** Whether the last segment of the path is a secret. */
  readonly masked?: boolean | undefined
  /**
   * What the handler gives as the same object again when it has not changed, so that it is written once: the answer, or
   * the items of a list.
   */
  readonly stable?: "answer" | Schema.Codec<object, unknown> | undefined
  readonly handle: Handler<Body, A, Q>
}

/** An answer that never arrives: whoever writes the answer breaks the connection instead. */
export const broken: HttpServerResponse.HttpServerResponse = HttpServerResponse.empty({ status: 599 })

const corsHeaders = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "date, retry-after, content-length"
}

const jsonType = "application/json; charset=utf-8"

let second = -1
let headers = Headers.empty
const blanks = new Map<number, HttpServerResponse.HttpServerResponse>()

/** The headers of an answer; the same ones for a second. */
const headersAt = (now: number): Headers.Headers => {
  const current = Math.floor(now / 1000)
  if (current !== second) {
    second = current
    headers = Headers.fromRecordUnsafe({ ...corsHeaders, date: new Date(current * 1000).toUTCString() })
    blanks.clear()
  }
  return headers
}

const empty = (now: number, status: number): HttpServerResponse.HttpServerResponse => {
  const headers = headersAt(now)
  let blank = blanks.get(status)
  if (blank === undefined) blanks.set(status, (blank = HttpServerResponse.empty({ status, headers })))
  return blank
}

const json = (now: number, status: number, text: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setBody(empty(now, status), HttpBody.text(text, jsonType))

/** An answer that is not JSON, with the headers that every answer has. */
export const withHeaders = (
  now: number,
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse => HttpServerResponse.setHeaders(response, headersAt(now))

export const Envelope = Schema.Struct({
  statusCode: Schema.Int,
  timestamp: Schema.String,
  message: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
  pageData: Schema.Null
}).annotate({ identifier: "ErrorEnvelope" })
const encodeEnvelope = Schema.encodeUnknownSync(Envelope)

export const envelope = (backend: Backend, refused: Refusal, now: number): HttpServerResponse.HttpServerResponse => {
  const message =
    typeof refused.message === "string" || backend.switches.validationMessages === "array"
      ? refused.message
      : (refused.message[0] ?? "")
  const status = statusOf(refused, backend.switches)
  const response = json(
    now,
    status,
    JSON.stringify(
      encodeEnvelope({
        statusCode: status,
        timestamp: new Date(now).toISOString(),
        message,
        pageData: null
      })
    )
  )
  return refused.headers === undefined ? response : HttpServerResponse.setHeaders(response, refused.headers)
}

// -- the device header --------------------------------------------------------

export const DeviceHeader = Schema.Struct({
  fingerprint: Schema.String.check(Schema.isMaxLength(1024)),
  deviceInfo: Schema.Record(Schema.String, Schema.Json)
})
const decodeDevice = Schema.decodeUnknownExit(DeviceHeader)

/** Applications send the same header again and again. */
const readDevice = ({ devices, limits }: Backend, header: string): Device | undefined => {
  const known = devices.get(header)
  if (known !== undefined) return known
  const device = parseDevice(header, limits.nesting)
  if (device === undefined || header.length > 1024) return device
  if (devices.size >= 1000) devices.clear()
  devices.set(header, device)
  return device
}

const parseDevice = (header: string, nesting: number): Device | undefined => {
  let value: unknown
  try {
    value = JSON.parse(header)
  } catch {
    return undefined
  }
  if (wildness(value, nesting) !== undefined) return undefined
  const exit = decodeDevice(value)
  return Exit.isSuccess(exit) ? exit.value : undefined
}

// -- bodies -------------------------------------------------------------------

/** What is wild about a value: it is nested too deeply, or has the one key that could reach a prototype. */
const wildness = (value: unknown, depth: number): "BodyTooDeep" | "BodyPrototype" | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  if (depth === 0) return "BodyTooDeep"
  if (Array.isArray(value)) {
    for (const item of value) {
      const wild = wildness(item, depth - 1)
      if (wild !== undefined) return wild
    }
    return undefined
  }
  for (const [key, item] of Object.entries(value)) {
    const wild = key === "__proto__" ? "BodyPrototype" : wildness(item, depth - 1)
    if (wild !== undefined) return wild
  }
  return undefined
}

const parseBody = (backend: Backend, request: Arrived, text: string): unknown => {
  // As the framework's parser: what does not call itself JSON is not read.
  if (text === "" || request.header("content-type")?.toLowerCase().includes("json") !== true) return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refusal("BodyMalformed")
  }
  if (typeof value !== "object" || value === null) return refusal("BodyMalformed")
  const wild = wildness(value, backend.limits.nesting)
  return wild === undefined ? value : refusal(wild)
}

const decoder = new TextDecoder()

const readText = (backend: Backend, request: Arrived): Effect.Effect<string, Refusal> => {
  const limit = backend.limits.bodyBytes
  if (Number(request.header("content-length") ?? 0) > limit) return Effect.fail(refusal("BodyTooLarge"))
  const { bytes } = request
  if (bytes !== undefined) {
    // It is all there; reading it through Effect's request takes a fiber and a cache.
    return bytes.length > limit ? Effect.fail(refusal("BodyTooLarge")) : Effect.succeed(decoder.decode(bytes))
  }
  return Effect.filterOrFail(
    Effect.mapError(request.source().text, (error) =>
      refusal(String(error.reason.cause ?? "").includes("exceeds") ? "BodyTooLarge" : "BodyMalformed")
    ),
    (text) => text.length <= limit,
    () => refusal("BodyTooLarge")
  )
}

// -- permissions --------------------------------------------------------------

// What a new tenant does not grant to guests.
const offByDefault: Readonly<Record<string, "addRule" | "denied">> = {
  getFormsDataByMarker: "addRule",
  deleteFile: "denied"
}

const permission = (
  backend: Backend,
  endpoint: { readonly operation: string; readonly method: string },
  path: string,
  user: User | undefined
): Refusal | "granted" | "restricted" => {
  let rule: Permission["rule"] = offByDefault[endpoint.operation] ?? "granted"
  let id = 36
  for (const entry of backend.permissions) {
    if (entry.operation !== undefined && entry.operation !== endpoint.operation) continue
    if (entry.method !== undefined && entry.method !== endpoint.method) continue
    if (entry.pattern !== undefined && !entry.pattern(path)) continue
    if (entry.group !== undefined) {
      const group = backend.groupIds.get(entry.group)
      const member = user === undefined ? entry.group === "guest" : group !== undefined && user.groups.includes(group)
      if (!member) continue
    }
    rule = entry.rule
    id = entry.id
  }
  switch (rule) {
    case "granted":
    case "restricted":
      return rule
    case "notInPlan":
      return refusal("PlanNotIncluded")
    case "missing":
      return refusal("PermissionMissing")
    case "denied":
      return refusal("PermissionDenied")
    case "addRule":
      return refusal("AddRuleRequired", [String(id)])
  }
}

// -- the pipeline -------------------------------------------------------------

const pathOf = (url: string): string => {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

const bearerOf = (header: string | undefined): string | undefined =>
  header !== undefined && /^bearer /i.test(header) ? header.slice(7).trim() : undefined

const newEntry = (backend: Backend, method: string, path: string, at: number): LogEntry => ({
  id: ++backend.requestCount,
  at,
  method,
  path: path.slice(0, 2048),
  operation: null,
  marker: null,
  status: null,
  reason: null,
  detail: null,
  refusal: null,
  handled: false,
  fault: null,
  bearer: "none",
  userIdentifier: null,
  sessionId: null,
  durationMs: 0
})

const timeOf = (backend: Backend, clock: Clock.Clock): number => clock.currentTimeMillisUnsafe() + backend.clockOffset

const toText = (value: unknown): string => JSON.stringify(value)

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

type Encode = (value: unknown) => Exit.Exit<unknown, Schema.SchemaError>

/** The text of an object, made the first time that it is asked for. */
const once = (
  written: WeakMap<object, string>,
  value: object,
  encode: Encode
): Exit.Exit<string, Schema.SchemaError> => {
  const known = written.get(value)
  if (known !== undefined) return Exit.succeed(known)
  const exit = Exit.map(encode(value), toText)
  if (Exit.isSuccess(exit)) written.set(value, exit.value)
  return exit
}

const eachOnce = (written: WeakMap<object, string>, items: ReadonlyArray<object>, encode: Encode) => {
  let text = "["
  for (const item of items) {
    const exit = once(written, item, encode)
    if (!Exit.isSuccess(exit)) return exit
    text += text === "[" ? exit.value : `,${exit.value}`
  }
  return Exit.succeed(`${text}]`)
}

/** The clock of the request: the caller's or the server's, moved by what the emulator was told. */
export const route = <Body, A, Q extends string>(
  backend: Backend,
  endpoint: Endpoint<Body, A, Q>
): HttpRouter.Route<never, HttpServerRequest.HttpServerRequest> => {
  const status = endpoint.status ?? (endpoint.method === "POST" ? 201 : 200)
  const answer = endpoint.answer
  const wantsDevice =
    endpoint.device === "required" || (endpoint.method === "POST" && backend.switches.deviceMetadata === "every-post")
  backend.described.push({
    operation: endpoint.operation,
    method: endpoint.method,
    path: endpoint.path,
    summary: endpoint.summary,
    device: wantsDevice ? "required" : endpoint.device,
    bearer: endpoint.bearer,
    open: false,
    query: endpoint.query ?? {},
    body: endpoint.body?.schema,
    multipart: endpoint.multipart,
    answer,
    status,
    refuses: endpoint.refuses ?? []
  })
  const encode = typeof answer === "string" ? undefined : Schema.encodeUnknownExit(answer)
  const { stable } = endpoint
  const encodeItem = stable === undefined || stable === "answer" ? undefined : Schema.encodeUnknownExit(stable)
  const written = new WeakMap<object, string>()

  /** Everything that comes before the body, in order. */
  const gate = (
    request: Arrived,
    path: string,
    now: number,
    log: LogEntry
  ): Refusal | Pick<Exchange<Body, Q>, "device" | "session" | "user" | "restricted"> => {
    if (request.headerBytes() > backend.limits.headerBytes) return refusal("HeadersTooLarge")
    if (!equalText(request.header("x-app-token") ?? "", backend.appToken)) return refusal("ResourceClosed")
    const token = bearerOf(request.header("authorization"))
    const live = token === undefined ? undefined : backend.sessionOf(token, now)
    if (token !== undefined) log.bearer = live === undefined ? "dead" : "live"
    if (live !== undefined) {
      log.userIdentifier = live.user.login
      log.sessionId = live.session.id
    }
    const granted = permission(backend, endpoint, path, live?.user)
    if (granted instanceof Refusal) return granted
    const header = request.header("x-device-metadata")
    let device: Device | undefined
    if (header !== undefined) {
      device = readDevice(backend, header)
      if (device === undefined && wantsDevice) return refusal("DeviceMetadataInvalid")
    } else if (wantsDevice) {
      return refusal("DeviceMetadataMissing")
    }
    return { device, session: live?.session, user: live?.user, restricted: granted === "restricted" }
  }

  const withBody = (exchange: Omit<Exchange<Body, Q>, "body">, body: Body): Effect.Effect<A, Refusal> => {
    if (endpoint.bearer === "required" && exchange.user === undefined) {
      exchange.log.detail = exchange.log.bearer === "none" ? "no bearer token" : "expired, replaced or closed token"
      const users = exchange.log.path.startsWith("/api/content/users/")
      return Effect.fail(
        refusal(
          users && backend.switches.usersWithoutSession === 500 && exchange.log.bearer === "none"
            ? "UsersWithoutSession"
            : "Unauthorized"
        )
      )
    }
    exchange.log.handled = true
    return endpoint.handle({ ...exchange, body })
  }

  const decodeThen = (exchange: Omit<Exchange<Body, Q>, "body">, decode: Decode<Body>) =>
    Effect.flatMapEager(readText(backend, exchange.request), (text) => {
      const parsed = parseBody(backend, exchange.request, text)
      if (parsed instanceof Refusal) return Effect.fail(parsed)
      const body = decode(parsed)
      return body instanceof Refusal ? Effect.fail(body) : withBody(exchange, body)
    })

  const respond = (value: A, now: number, log: LogEntry): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
    if (encode === undefined) {
      return Effect.succeed(HttpServerResponse.isHttpServerResponse(value) ? value : empty(now, status))
    }
    const exit =
      stable === "answer" && isObject(value)
        ? once(written, value, encode)
        : encodeItem !== undefined && Array.isArray(value)
          ? eachOnce(written, value, encodeItem)
          : Exit.map(encode(value), toText)
    return Exit.isSuccess(exit) ? Effect.succeed(json(now, status, exit.value)) : failed(backend, exit.cause, now, log)
  }

  const run = (
    request: Arrived,
    place: Place,
    path: string,
    now: number,
    log: LogEntry
  ): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
    const passed = gate(request, path, now, log)
    let effect: Effect.Effect<A, Refusal>
    if (passed instanceof Refusal) {
      effect = Effect.fail(passed)
    } else {
      const exchange = {
        backend,
        request,
        now,
        params: place.params,
        query: place.query,
        device: passed.device,
        session: passed.session,
        user: passed.user,
        restricted: passed.restricted,
        log
      }
      log.marker = exchange.params["marker"] ?? null
      effect =
        endpoint.body === undefined
          ? withBody(exchange, undefined as Body) // endpoints without a decoder have no body
          : decodeThen(exchange, endpoint.body)
    }
    return Effect.matchCauseEffectEager(effect, {
      onSuccess: (value) => respond(value, now, log),
      onFailure: (cause) => {
        const error = Cause.findErrorOption(cause)
        if (Option.isNone(error)) return failed(backend, cause, now, log)
        log.reason = typeof error.value.message === "string" ? error.value.message : error.value.message.join("; ")
        log.refusal = error.value.name
        log.detail ??= null
        return Effect.succeed(envelope(backend, error.value, now))
      }
    })
  }

  const serve: Serve = (request, place, clock) => {
    const path = pathOf(request.url)
    const now = timeOf(backend, clock)
    const log = newEntry(backend, request.method, path, now)
    log.operation = endpoint.operation
    if (endpoint.masked === true) log.path = log.path.replace(/[^/]+\/*$/, "***")
    return observed(backend, log, clock, () => {
      const now = timeOf(backend, clock)
      try {
        return run(request, place, path, now, log)
      } catch (defect) {
        return failed(backend, Cause.die(defect), now, log)
      }
    })
  }

  return HttpRouter.route(
    endpoint.method,
    endpoint.path,
    Effect.withFiber<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest>((fiber) => {
      const request = arrivedAs(Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest))
      const place: Place = {
        serve,
        params: Context.getUnsafe(fiber.context, HttpRouter.RouteContext).params,
        query: queryOf(Context.getUnsafe(fiber.context, HttpServerRequest.ParsedSearchParams))
      }
      if (endpoint.masked !== true) backend.places.remember(request.method, request.url, place)
      return serve(request, place, fiber.getRef(Clock.Clock))
    }),
    { uninterruptible: true }
  )
}

/** A defect of the emulator itself: logged, and answered as the framework would. */
const failed = (
  backend: Backend,
  cause: Cause.Cause<unknown>,
  now: number,
  log: LogEntry
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  log.refusal = "InternalError" satisfies Messages.Name
  return Effect.as(Effect.logError("The emulator failed", cause), envelope(backend, refusal("InternalError"), now))
}

/** Faults, the journal and the log around a request. */
const observed = (
  backend: Backend,
  log: LogEntry,
  clock: Clock.Clock,
  run: () => Effect.Effect<HttpServerResponse.HttpServerResponse>
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const fault = backend.faults.length === 0 ? undefined : backend.hit(log.operation, log.method, log.path)
  const started = clock.monotonicTimeNanosUnsafe()
  const { journal } = backend.state
  const before = journal.count
  const done = (response: HttpServerResponse.HttpServerResponse) => {
    log.status = response === broken ? null : response.status
    log.durationMs = Number((clock.monotonicTimeNanosUnsafe() - started) / 1000n) / 1000
    backend.record(log)
    return response
  }
  const answer = fault === undefined ? run() : withFault(backend, fault, log, clock, Effect.suspend(run))
  return Effect.flatMapEager(answer, (response) => {
    // An answered write is a kept write. What changed nothing waits for nobody's, unless one has failed: then all try.
    if (journal.settled || (journal.writing && journal.count === before)) return Effect.succeed(done(response))
    return Effect.map(backend.flush, (kept) => {
      if (kept || response === broken) return done(response)
      log.reason = "The change could not be kept"
      log.refusal = "InternalError" satisfies Messages.Name
      return done(envelope(backend, refusal("InternalError"), timeOf(backend, clock)))
    })
  })
}

const withFault = (
  backend: Backend,
  fault: MutableFault,
  log: LogEntry,
  clock: Clock.Clock,
  handle: Effect.Effect<HttpServerResponse.HttpServerResponse>
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  log.fault = fault.kind
  // What was held back until after a reset is of a world that is gone.
  const effect = Effect.suspend(() => (log.id <= backend.forgotten ? Effect.succeed(broken) : handle))
  // Interruptible, so that the end of the emulator need not wait for it.
  const sleep = Effect.interruptible(Effect.sleep(fault.delay ?? 0))
  const late = fault.delay === undefined || fault.delay === 0 ? Effect.void : sleep
  const instead = Effect.suspend(() => {
    const status = fault.status ?? 503
    const message =
      fault.message ?? (status === 429 ? Messages.table.TooManyRequests.text : "The emulator was told to fail")
    log.reason = message
    return Effect.succeed(
      envelope(backend, new Refusal("Fault", status, message, fault.headers), timeOf(backend, clock))
    )
  })
  switch (fault.kind) {
    case "delay":
      return fault.phase === "after" ? Effect.tap(effect, () => late) : Effect.andThen(late, effect)
    case "drop":
      return Effect.as(late, broken)
    case "status":
      return fault.phase === "after"
        ? Effect.andThen(Effect.andThen(effect, late), instead)
        : Effect.andThen(late, instead)
    case "malformed":
      return Effect.map(Effect.andThen(late, effect), (response) => {
        const body = response.body
        const text = body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : '{"statusCode":'
        return HttpServerResponse.text(fault.body ?? text.slice(0, Math.floor(text.length / 2)), {
          status: response.status,
          contentType: fault.contentType ?? jsonType,
          headers: headersAt(timeOf(backend, clock))
        })
      })
    case "lostAnswer":
      return Effect.as(Effect.andThen(late, effect), broken)
  }
}

const decodes = (path: string): boolean => {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

/** What no route is for: preflights, and what does not exist. */
export const unrouted = (
  backend: Backend,
  request: HttpServerRequest.HttpServerRequest,
  clock: Clock.Clock
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  if (request.method === "OPTIONS") return Effect.succeed(preflight(timeOf(backend, clock)))
  const refused = decodes(pathOf(request.url))
    ? refusal("RouteNotFound", [request.method, request.url.slice(0, 2048)])
    : refusal("PathMalformed")
  return Effect.uninterruptible(missing(backend, request, clock, refused))
}

const missing = (
  backend: Backend,
  request: HttpServerRequest.HttpServerRequest,
  clock: Clock.Clock,
  refused: Refusal
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const now = timeOf(backend, clock)
  const log = newEntry(backend, request.method, pathOf(request.url), now)
  return observed(backend, log, clock, () => {
    // without the query, where a lost client may have put a secret
    log.reason = pathOf(String(refused.message))
    log.refusal = refused.name
    return Effect.succeed(envelope(backend, refused, now))
  })
}

const allowedHeaders = "content-type, authorization, x-app-token, x-device-metadata, x-guest-id, accept"

const preflight = (now: number): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeaders(empty(now, 204), {
    "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
    "access-control-allow-headers": allowedHeaders,
    "access-control-max-age": "600"
  })

/** A route outside of the API: no app token, no permissions. */
export const openRoute = (
  backend: Backend,
  open: {
    readonly operation: string
    readonly summary: string
    readonly path: `/${string}/*`
    readonly refuses: ReadonlyArray<Messages.Name>
  },
  handle: (path: string, now: number) => HttpServerResponse.HttpServerResponse | Refusal
): HttpRouter.Route<never, HttpServerRequest.HttpServerRequest> => {
  backend.described.push({
    ...open,
    method: "GET",
    device: undefined,
    bearer: undefined,
    open: true,
    query: {},
    body: undefined,
    multipart: undefined,
    answer: "raw",
    status: 200
  })
  return HttpRouter.route(
    "GET",
    open.path,
    Effect.withFiber<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest>((fiber) => {
      const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest)
      const clock = fiber.getRef(Clock.Clock)
      const now = timeOf(backend, clock)
      const log = newEntry(backend, request.method, pathOf(request.url), now)
      log.operation = open.operation
      return observed(backend, log, clock, () => {
        const result = handle(log.path, now)
        log.handled = true
        if (!(result instanceof Refusal)) return Effect.succeed(result)
        log.reason = String(result.message)
        log.refusal = result.name
        return Effect.succeed(envelope(backend, result, now))
      })
    }),
    { uninterruptible: true }
  )
}

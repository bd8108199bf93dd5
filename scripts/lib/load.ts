/**
 * Load over raw sockets: a number of connections, each with one request under way, for some time. Much cheaper than an
 * HTTP client, so that on a machine of two cores the server is what is measured.
 */
import { Buffer } from "node:buffer"
import * as net from "node:net"

export interface Answer {
  readonly status: number
  readonly body: string
}

/** What a connection sends: the next request, made from the answer before. */
export interface Step {
  readonly request: Buffer
  readonly answered: (answer: Answer) => void
}

export interface Outcome {
  readonly answers: number
  readonly perSecond: number
  /** Sorted, in milliseconds. */
  readonly latencies: Float64Array
}

const requestOf = (method: string, path: string, headers: Readonly<Record<string, string>>, body?: unknown): Buffer => {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const lines = [`${method} ${path} HTTP/1.1`, "host: 127.0.0.1"]
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (text !== undefined) lines.push("content-type: application/json", `content-length: ${Buffer.byteLength(text)}`)
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${text ?? ""}`)
}

const headEnd = Buffer.from("\r\n\r\n")

/** One connection: writes steps until the deadline, and rejects at the first thing that is wrong. */
const connection = (port: number, next: () => Step, until: number, times: Array<number>): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1")
    let pending: Buffer = Buffer.alloc(0)
    let step: Step | undefined
    let sent = 0
    const send = () => {
      if (performance.now() >= until) {
        step = undefined
        socket.end()
        resolve()
        return
      }
      step = next()
      sent = performance.now()
      socket.write(step.request)
    }
    socket.setNoDelay(true)
    socket.on("connect", send)
    socket.on("data", (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      const end = pending.indexOf(headEnd)
      if (end === -1 || step === undefined) return
      const head = pending.toString("latin1", 0, end)
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      if (pending.length < end + 4 + length) return
      times.push(performance.now() - sent)
      const answer = { status: Number(head.slice(9, 12)), body: pending.toString("utf8", end + 4, end + 4 + length) }
      pending = pending.subarray(end + 4 + length)
      try {
        step.answered(answer)
      } catch (cause) {
        socket.destroy()
        reject(cause)
        return
      }
      send()
    })
    socket.on("error", reject)
    socket.on("close", () => (step === undefined ? resolve() : reject(new Error("the connection was closed"))))
  })

/** Runs `connections` of them for some milliseconds; `makeNext` makes the source of steps of each. */
export const load = async (options: {
  readonly port: number
  readonly connections: number
  readonly milliseconds: number
  readonly makeNext: (index: number) => () => Step
}): Promise<Outcome> => {
  const times: Array<number> = []
  const began = performance.now()
  const until = began + options.milliseconds
  await Promise.all(
    Array.from({ length: options.connections }, (_, index) =>
      connection(options.port, options.makeNext(index), until, times)
    )
  )
  const seconds = (performance.now() - began) / 1000
  return { answers: times.length, perSecond: times.length / seconds, latencies: Float64Array.from(times).sort() }
}

// -- the mix ------------------------------------------------------------------

export interface Person {
  readonly device: string
  accessToken: string
  refreshToken: string
}

const users = "/api/content/users-auth-providers/marker/email/users"

/** What a person's application asks for: its profile most of the time, and all the rest in turn. No hashing. */
export const applicationOf = (person: Person, appToken: string): (() => Step) => {
  const common = { "x-app-token": appToken }
  const device = { "x-device-metadata": JSON.stringify({ fingerprint: person.device, deviceInfo: { os: "bench" } }) }
  const expect = (status: number, look?: (body: string) => void) => (answer: Answer) => {
    if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.body}`)
    look?.(answer.body)
  }
  const read = (path: string, contains: string): Step => ({
    request: requestOf("GET", path, { ...common, authorization: `Bearer ${person.accessToken}` }),
    answered: expect(200, (body) => {
      if (!body.includes(contains)) throw new Error(`${path} answers ${body}`)
    })
  })
  const me = () => read("/api/content/users/me", '"authProviderIdentifier":"email"')
  const steps: ReadonlyArray<() => Step> = [
    me,
    () => read("/api/content/forms/marker/reg", '"identifier":"reg"'),
    me,
    () => read(`${users}/sessions`, '"deviceInfo"'),
    me,
    () => ({
      request: requestOf("POST", `${users}/check-code`, common, {
        userIdentifier: "ann@example.com",
        eventIdentifier: "auth",
        code: "wrong"
      }),
      answered: expect(201, (body) => {
        if (body !== "false") throw new Error(`check-code answers ${body}`)
      })
    }),
    me,
    () => ({
      request: requestOf("POST", `${users}/refresh`, { ...common, ...device }, { refreshToken: person.refreshToken }),
      answered: expect(201, (body) => {
        const tokens: Person = JSON.parse(body)
        person.accessToken = tokens.accessToken
        person.refreshToken = tokens.refreshToken
      })
    })
  ]
  let turn = Number(person.device.replace(/\D/g, "")) || 0
  return () => {
    const step = steps[turn++ % steps.length]
    if (step === undefined) throw new Error("no step")
    return step()
  }
}

/** Signs one person in on many devices. */
export const signIn = async (url: string, appToken: string, devices: number): Promise<ReadonlyArray<Person>> => {
  const authData = [
    { marker: "email_reg", value: "ann@example.com" },
    { marker: "password_reg", value: "123456" }
  ]
  const people: Array<Person> = []
  for (let index = 0; index < devices; index++) {
    const device = `device-${index}`
    const response = await fetch(`${url}${users}/auth`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-app-token": appToken,
        "x-device-metadata": JSON.stringify({ fingerprint: device, deviceInfo: { os: "bench" } })
      },
      body: JSON.stringify({ authData })
    })
    if (response.status !== 201) throw new Error(await response.text())
    const { accessToken, refreshToken } = (await response.json()) as Person
    people.push({ device, accessToken, refreshToken })
  }
  return people
}

/** The bare echo that the emulator is compared with: a body of the size of the mix's, parsed and written again. */
export const echoSource = `
import { createServer } from "node:http"
const server = createServer((request, response) => {
  const chunks = []
  request.on("data", (chunk) => chunks.push(chunk))
  request.on("end", () => {
    const body = Buffer.from(JSON.stringify(JSON.parse(Buffer.concat(chunks).toString("utf8"))))
    response.writeHead(200, { "content-type": "application/json; charset=utf-8", "content-length": body.length })
    response.end(body)
  })
})
server.listen(0, "127.0.0.1", () => console.log("Listening http://127.0.0.1:" + server.address().port + " Ctrl+C"))
`

export const echoStep: () => Step = (() => {
  const body = { userIdentifier: "ann@example.com", eventIdentifier: "auth", code: "wrong", padding: "x".repeat(160) }
  const step: Step = {
    request: requestOf("POST", "/echo", { "x-app-token": "emulator-app-token" }, body),
    answered: ({ status }) => {
      if (status !== 200) throw new Error(`the echo answers ${status}`)
    }
  }
  return () => step
})()

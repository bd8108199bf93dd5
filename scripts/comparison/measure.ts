/**
 * What becomes of a session when its access token has ended, for each SDK, in a process of its own: the name is the
 * argument, and the result is JSON. `--quick` leaves out what takes minutes with some, and lets two clients meet less often.
 */
import { type Client, sdks } from "./clients.ts"

const sdk = sdks.find(({ name }) => name === process.argv[2])
if (sdk === undefined) throw new Error(`one of ${sdks.map(({ name }) => name).join(", ")}`)

const ask = async (clients: ReadonlyArray<Client>, each: number) => {
  const failed = await Promise.all(clients.map((one) => one.calls(each)))
  return failed.reduce((sum, count) => sum + count, 0)
}

const quick = process.argv.includes("--quick")

/** Fifty calls at once, on one client or on two that share a storage. */
const storm = async (count: number) => {
  const { clients, server, stop } = await sdk.start(count)
  const failed = await ask(clients, 50 / count)
  await stop()
  return { refreshes: server.state.refreshes, failed }
}

const within = (counts: ReadonlyArray<number>) => [Math.min(...counts), Math.max(...counts)]

/** Two tabs do not meet in the same way each time. */
const storms = async (rounds: number) => {
  const all: Array<Awaited<ReturnType<typeof storm>>> = []
  for (let round = 0; round < rounds; round++) all.push(await storm(2))
  return { refreshes: within(all.map(({ refreshes }) => refreshes)), failed: within(all.map(({ failed }) => failed)) }
}

/** Whether a session outlives a moment in which no refresh succeeds. */
const outlives = async (mood: "503" | "unreachable"): Promise<boolean> => {
  const { clients, server } = await sdk.start(1)
  server.state.mood = mood
  // Some try again for half a minute before they give up: that is the caller's time, and no measure here.
  await Promise.race([ask(clients, 1), new Promise((resolve) => setTimeout(resolve, 45_000))])
  server.state.mood = "well"
  // Some wait before they ask the server once more.
  for (let second = 0; second < 90; second++) {
    if ((await ask(clients, 1)) === 0) return true
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  return false
}

const shows = async (): Promise<boolean> => {
  const { clients } = await sdk.start(1)
  const seen = await clients[0]?.shown()
  return seen !== undefined && seen.text.includes(seen.secret)
}

const result = {
  one: await storm(1),
  two: await storms(quick ? 3 : 25),
  showsTokens: await shows(),
  // These take their time with some.
  ...(quick ? {} : { outlives503: await outlives("503"), outlivesUnreachable: await outlives("unreachable") })
}
process.stdout.write(JSON.stringify(result))
process.exit(0)

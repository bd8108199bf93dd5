/** How the demo talks: numbered steps, what was sent, what came back. */
import { Console, Effect } from "effect"
import { HttpClient } from "effect/http"

const colours = process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined
const paint = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text)
const bold = paint(1)
const dim = paint(2)
const green = paint(32)
const yellow = paint(33)
const cyan = paint(36)

let count = 0

export const step = (title: string) => Console.log(`\n${bold(`${++count}. ${title}`)}`)
export const came = (text: string) => Console.log(`   ${green("←")} ${text}`)
export const handled = (tag: string, text: string) => Console.log(`   ${yellow("!")} ${yellow(tag)}: ${text}`)
export const note = (text: string) => Console.log(`   ${dim(text)}`)
export const title = (text: string) => Console.log(`${bold(cyan(text))}`)

interface Traffic {
  readonly line: string
  readonly status: number
}

/** Prints each request and its status; many at once are summed up. Paths only: no header and no body is printed. */
export const watched = (client: HttpClient.HttpClient) => {
  let seen: Array<Traffic> = []
  const watching = HttpClient.transform(client, (effect, request) =>
    Effect.tap(effect, (response) =>
      Effect.sync(() => {
        const { pathname, search } = new URL(request.url)
        seen.push({ line: `${request.method.padEnd(4)} ${pathname}${search}`, status: response.status })
      })
    )
  )
  /** What has passed since the last time. */
  const traffic = Effect.suspend(() => {
    const groups = new Map<string, number>()
    for (const { line, status } of seen) {
      const key = `${line} ${dim("→")} ${status < 400 ? green(String(status)) : yellow(String(status))}`
      groups.set(key, (groups.get(key) ?? 0) + 1)
    }
    seen = []
    return Effect.forEach(groups, ([line, times]) =>
      Console.log(`   ${cyan("→")} ${line}${times > 1 ? bold(` × ${times}`) : ""}`)
    )
  })
  return { client: watching, traffic }
}

/** The page for people at `/__emulator`: complete as HTML, and then kept up to date by server-sent events. */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import type * as ControlApi from "../../ControlApi.ts"
import type { Service } from "../../Emulator.ts"
import { backends } from "../backend.ts"
import { isLoopback } from "../control/guard.ts"
import * as views from "../control/views.ts"
import { secure } from "../random.ts"
import { client } from "./client.ts"
import { style } from "./style.ts"
import { makeViews } from "./views.ts"

const v = makeViews()
const { escape: e } = v

const mark = `<svg class="mark" viewBox="0 0 28 28" aria-hidden="true"><rect width="28" height="28" rx="8" fill="var(--accent)"/><path d="M8 14.5l4 4 8-9" fill="none" stroke="var(--on-accent)" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/></svg>`

// A bundler that keeps the names of functions calls this helper in their text.
const script = () =>
  `const __name = (f) => f;\n(${client.toString()})((${makeViews.toString()})())`.replace(/<\/script/gi, "<\\/script")

const noncePolicy = (nonce: string) =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")

/** A document with its policy: nothing runs or loads but what carries the nonce. */
export const document = (title: string, body: (nonce: string) => string): HttpServerResponse.HttpServerResponse => {
  const nonce = btoa(String.fromCharCode(...secure.bytes(18)))
  return HttpServerResponse.text(
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${e(title)}</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 28 28'%3E%3Crect width='28' height='28' rx='8' fill='%233446c4'/%3E%3Cpath d='M8 14.5l4 4 8-9' fill='none' stroke='%23fff' stroke-width='2.6'/%3E%3C/svg%3E">
<style nonce="${nonce}">${style}</style>
</head>
<body>
${body(nonce)}
</body>
</html>
`,
    {
      contentType: "text/html; charset=utf-8",
      headers: {
        "cache-control": "no-store",
        "content-security-policy": noncePolicy(nonce),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY"
      }
    }
  )
}

const list = (
  name: string,
  items: ReadonlyArray<{ readonly key: string; readonly html: string }>,
  none: string,
  log = false
) =>
  `<div class="scroll" tabindex="0" role="group" aria-label="${e(name)}"><ul class="list${log ? " log" : ""}" id="${name}-list"${items.length === 0 ? " hidden" : ""}>${v.list(items)}</ul><p class="none" id="${name}-list-none"${items.length > 0 ? " hidden" : ""}>${none}</p></div>`

const count = (name: string, n: number) => `<span class="n" data-count="${name}">${n}</span>`

const advance = (duration: string, text: string) =>
  `<button type="button" data-act="advance" data-id="${duration}">${text}</button>`

const past = (what: string, text: string) =>
  `<button type="button" data-act="advance-past" data-id="${what}">${text}</button>`

/** What links need to be followed: off loopback the app token, which who reads the page knows. */
export const linkQuery = (emulator: Service): string =>
  emulator.host === undefined || isLoopback(emulator.host)
    ? ""
    : `?token=${encodeURIComponent(Redacted.value(emulator.appToken))}`

const shell = (emulator: Service, state: ControlApi.Update, nonce: string): string => {
  const messages = state.outbox?.items ?? []
  const users = state.users?.items ?? []
  const sessions = state.sessions?.items ?? []
  const requests = state.requests?.entries ?? []
  const live = messages.filter((message) => message.status === "live").length
  const { now } = state.clock
  const token = Redacted.value(emulator.appToken)
  const query = e(linkQuery(emulator))
  const operations = [...new Set((backends.get(emulator)?.described ?? []).map((one) => one.operation))].sort()
  const tabs: ReadonlyArray<readonly [string, string, number]> = [
    ["outbox", "Outbox", live],
    ["users", "Users", state.users?.total ?? 0],
    ["sessions", "Sessions", state.sessions?.total ?? 0],
    ["clock", "Clock", -1],
    ["faults", "Faults", state.faults?.length ?? 0],
    ["requests", "Requests", requests.length]
  ]
  return `<a class="skip" href="#outbox">Skip to the outbox</a>
<header class="top"><div class="bar">
<div class="brand">${mark}<h1>OneEntry emulator</h1><span id="connection" class="dot">connecting…</span></div>
<dl class="facts">
<div><dt>URL</dt><dd><code>${e(emulator.url)}</code><button type="button" class="tiny ghost" data-act="copy" data-text="${e(emulator.url)}" aria-label="Copy the URL">Copy</button></dd></div>
<div><dt>App token</dt><dd><code>${e(token)}</code><button type="button" class="tiny ghost" data-act="copy" data-text="${e(token)}" aria-label="Copy the app token">Copy</button></dd></div>
</dl>
<button type="button" class="ghost" data-act="theme"><span>Theme: </span><b>auto</b></button>
</div></header>
<nav class="tabs" aria-label="Parts of this page"><ul>${tabs
    .map(([id, title, n]) => `<li><a href="#${id}">${title}${n < 0 ? "" : count(id, n)}</a></li>`)
    .join("")}</ul></nav>
<p id="live" class="sr" role="status" aria-live="polite"></p>
<main>
<div class="column">
<section id="outbox" aria-labelledby="outbox-title"><div class="head"><h2 id="outbox-title" tabindex="-1">Outbox</h2></div>
${list("outbox", [...v.outbox(messages, now), ...v.more(messages)], "No messages yet. <b>Sign somebody up</b> or ask for a code, and it appears here.")}</section>
</div>
<div class="column">
<section id="users" aria-labelledby="users-title"><div class="head"><h2 id="users-title" tabindex="-1">Users</h2></div>
${list("users", [...v.users(users), ...v.more(users)], "Nobody has signed up yet.")}</section>
<section id="sessions" aria-labelledby="sessions-title"><div class="head"><h2 id="sessions-title" tabindex="-1">Sessions and devices</h2><button type="button" data-act="expire-all" aria-label="Expire all access tokens">Expire all</button></div>
${list("sessions", [...v.sessions(sessions, now), ...v.more(sessions)], "Nobody is signed in.")}</section>
</div>
<div class="column right">
<section id="clock" aria-labelledby="clock-title"><div class="head"><h2 id="clock-title" tabindex="-1">Clock</h2><button type="button" class="ghost" data-act="clock-reset">Reset</button></div>
<div class="body"><p id="clock-now">${v.clock(state.clock)}</p>
<div class="group"><p>Move it forward by</p><div class="buttons">${advance("1 minute", "1 minute")}${advance("1 hour", "1 hour")}${advance("1 day", "1 day")}</div></div>
<div class="group"><p>Move it past the expiry of</p><div class="buttons">${past("codes", "Codes")}${past("accessTokens", "Access tokens")}${past("refreshTokens", "Refresh tokens")}</div></div></div></section>
<section id="faults" aria-labelledby="faults-title"><div class="head"><h2 id="faults-title" tabindex="-1">Faults</h2><button type="button" class="ghost" data-act="clear-faults">Clear</button></div>
${list("faults", v.faults(state.faults ?? []), "Nothing is broken. <b>Break something</b> and see what your application does.")}
<details class="add"><summary>Add a fault</summary><form id="fault-form" class="fault" aria-label="Add a fault">
<label class="half">What happens<select name="kind"><option value="delay">Late answer</option><option value="drop">Broken connection</option><option value="status">Error status</option><option value="malformed">Malformed body</option><option value="lostAnswer">Lost answer</option></select></label>
<label class="half">Where<input name="where" list="operations" placeholder="every request" autocomplete="off" spellcheck="false"></label>
<datalist id="operations">${operations.map((name) => `<option value="${e(name)}">`).join("")}<option value="/api/content/users/*"></datalist>
<label>Method<select name="method"><option value="">any</option><option>GET</option><option>POST</option><option>PUT</option><option>DELETE</option></select></label>
<label>Share, %<input name="rate" type="number" min="1" max="100" placeholder="100" inputmode="numeric"></label>
<label>Times<input name="count" type="number" min="1" placeholder="for ever" inputmode="numeric"></label>
<label>Delay, ms<input name="delay" type="number" min="0" placeholder="0" inputmode="numeric"></label>
<label data-for="status">Status<input name="status" type="number" min="300" max="599" placeholder="503" inputmode="numeric"></label>
<label data-for="malformed">Body<input name="body" placeholder="half of it" autocomplete="off"></label>
<label data-for="delay status">Handling<select name="phase"><option value="">comes after</option><option value="after">comes before</option></select></label>
<div class="buttons"><button class="primary">Add fault</button></div>
</form></details></section>
</div>
<section id="requests" aria-labelledby="requests-title"><div class="head"><h2 id="requests-title" tabindex="-1">Requests</h2><div class="tools"><label class="sr" for="log-filter">Filter requests</label><input id="log-filter" type="search" placeholder="Filter by operation, user, reason" autocomplete="off"><label class="check"><input id="log-refused" type="checkbox">Refused only</label></div></div>
${list("requests", [...v.requests(requests), ...v.more(requests)], "No requests yet. Secrets never enter this log.", true)}</section>
</main>
<footer><span>For tests and development. It is no production server.</span><a href="/__emulator/api${query}">API reference</a><a href="/__emulator/openapi.json${query}">OpenAPI</a><a href="/__emulator/project.schema.json${query}">Schema of project files</a><button type="button" class="danger tiny" data-act="reset">Reset everything</button></footer>
<div id="toast" class="toast" role="alert" hidden></div>
<noscript><p class="none">Without JavaScript this page shows how things were when it was loaded.</p></noscript>
<script nonce="${nonce}">${script()}</script>`
}

export const page = (emulator: Service): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.map(views.everything(emulator), (state) =>
    document("OneEntry emulator", (nonce) => shell(emulator, state, nonce))
  )

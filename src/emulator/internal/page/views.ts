/**
 * The parts of the page as HTML. The server makes its first state with them, and the page itself every later one: the
 * text of `makeViews` is sent to the browser, so it may use nothing from outside of itself but the web's globals.
 */
import type * as ControlApi from "../../ControlApi.ts"
import type * as RequestLog from "../../RequestLog.ts"

/** An entry of a list: its key, and what it shows. */
export interface Item {
  readonly key: string
  readonly html: string
}

export const makeViews = () => {
  const escapes: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;"
  }
  const e = (value: unknown): string => String(value).replace(/[&<>"']/g, (char) => escapes[char] ?? char)

  /** The beginning of what may be of any length; the control API has all of it. */
  const clip = (value: unknown, length = 160): string => {
    const text = String(value)
    return text.length <= length ? text : `${text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "")}…`
  }

  /** What others chose, which may run from right to left: what stands beside it stays where it is. */
  const apart = (value: unknown): string => `<bdi>${e(clip(value))}</bdi>`

  const two = (n: number) => String(n).padStart(2, "0")
  const time = (ms: number): string => new Date(ms).toISOString().slice(11, 19)
  const date = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

  /** How long until a time: `0:42`, `1 h 20 min`, `6 days`. */
  const until = (ms: number, now: number): string => {
    const seconds = Math.ceil((ms - now) / 1000)
    if (seconds <= 0) return "expired"
    if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`
    const minutes = Math.floor(seconds / 60)
    if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
    const days = Math.floor(minutes / 1440)
    return days === 1 ? "1 day" : `${days} days`
  }

  /** A length of time in words: `1 h`, `3 days 2 h`. */
  const span = (ms: number): string => {
    const minutes = Math.round(ms / 60_000)
    if (minutes < 1) return `${Math.round(ms / 1000)} s`
    const parts: ReadonlyArray<readonly [number, string]> = [
      [Math.floor(minutes / 1440), "d"],
      [Math.floor((minutes % 1440) / 60), "h"],
      [minutes % 60, "min"]
    ]
    return parts
      .filter(([n]) => n > 0)
      .map(([n, unit]) => `${n} ${unit}`)
      .join(" ")
  }

  const badge = (kind: "good" | "bad" | "warn" | "plain" | "accent", text: string) =>
    `<span class="badge ${kind}">${e(text)}</span>`

  const left = (ms: number, now: number, words: string) =>
    `<span class="left" data-until="${ms}" data-words="${e(words)}">${e(words)} ${e(until(ms, now))}</span>`

  const button = (act: string, id: number | string, text: string, options?: { danger?: boolean; label?: string }) =>
    `<button type="button" data-act="${act}" data-id="${e(id)}"${options?.danger === true ? ' class="danger"' : ""}${
      options?.label === undefined ? "" : ` aria-label="${e(options.label)}"`
    }>${e(text)}</button>`

  const outbox = (messages: ReadonlyArray<ControlApi.Message>, now: number): ReadonlyArray<Item> =>
    messages.toReversed().map((message) => {
      const status = message.status === "live" && now >= message.expiresAt ? "expired" : message.status
      const live = status === "live"
      return {
        key: String(message.id),
        html: `<div class="code-line"><code class="code${live ? "" : " off"}">${e(message.code)}</code>${
          live
            ? `<button type="button" class="primary" data-act="copy" data-id="code-${message.id}" data-text="${e(message.code)}" aria-label="Copy code ${e(message.code)} of ${e(message.userIdentifier)}">Copy</button>`
            : badge("plain", status)
        }</div><p class="who">${apart(message.to)}</p><p class="meta">${e(message.event ?? "sign-up")} · ${e(
          message.channel === message.marker ? message.channel : `${message.channel} of ${message.marker}`
        )} · ${e(time(message.at))}${live ? ` · ${left(message.expiresAt, now, "expires in")}` : ""}</p>`
      }
    })

  const users = (list: ReadonlyArray<ControlApi.User>): ReadonlyArray<Item> =>
    list.toReversed().map((user) => ({
      key: String(user.id),
      html: `<div class="row"><div class="grow"><p class="who">${apart(user.login)} ${
        user.isDeleted
          ? badge("bad", "archived")
          : user.isActive
            ? badge("good", "active")
            : badge("warn", "not activated")
      }</p><p class="meta">#${user.id} · ${e(user.provider)} · ${e(date(user.createdAt))} ${e(time(user.createdAt))}</p></div><div class="actions">${
        user.isActive || user.isDeleted
          ? ""
          : button("activate", user.id, "Activate", { label: `Activate ${user.login}` })
      }${button("delete-user", user.id, "Delete", { danger: true, label: `Delete ${user.login}` })}</div></div>`
    }))

  const deviceOf = (info: ControlApi.Session["deviceInfo"]): string => {
    const parts = [info["browser"], info["os"], info["location"]].filter(
      (part): part is string => typeof part === "string" && part !== ""
    )
    return parts.length === 0 ? "unknown device" : parts.join(" · ")
  }

  const sessions = (list: ReadonlyArray<ControlApi.Session>, now: number): ReadonlyArray<Item> =>
    list.toReversed().map((session) => {
      const access = now < session.accessExpiresAt
      const refresh = now < session.refreshExpiresAt
      return {
        key: String(session.id),
        html: `<div class="row"><div class="grow"><p class="who">${apart(session.userIdentifier)} ${
          access ? badge("good", "live") : refresh ? badge("warn", "wants refresh") : badge("bad", "expired")
        }</p><p class="meta">${apart(deviceOf(session.deviceInfo))} · <span class="mono" title="${e(session.fingerprint)}">${e(session.fingerprint.slice(0, 12))}</span></p><p class="meta">${
          access ? left(session.accessExpiresAt, now, "access for") : "access expired"
        } · ${refresh ? left(session.refreshExpiresAt, now, "refresh for") : "refresh expired"} · ${
          session.refreshes === 0 ? "never refreshed" : `refreshed ${session.refreshes}×`
        }</p></div><div class="actions">${
          access
            ? button("expire", session.id, "Expire", { label: `Expire the access token of ${session.userIdentifier}` })
            : ""
        }${button("revoke", session.id, "Revoke", { danger: true, label: `Revoke the session of ${session.userIdentifier}` })}</div></div>`
      }
    })

  const duration = (ms: number): string =>
    ms < 1
      ? "<1 ms"
      : ms < 100
        ? `${ms.toFixed(1)} ms`
        : ms < 10_000
          ? `${Math.round(ms)} ms`
          : `${(ms / 1000).toFixed(1)} s`

  const requests = (entries: ReadonlyArray<RequestLog.Entry>): ReadonlyArray<Item> =>
    entries.toReversed().map((entry) => {
      const status = entry.status
      const kind = status === null ? "bad" : status < 300 ? "good" : status < 500 ? "warn" : "bad"
      const detail = [
        entry.reason,
        entry.detail,
        entry.fault === null ? null : `fault: ${entry.fault}${entry.handled ? ", handled" : ", not handled"}`
      ].filter((part) => part !== null)
      return {
        key: String(entry.id),
        html: `<span class="t mono">${e(time(entry.at))}</span><span class="s">${badge(kind, status === null ? "broken" : String(status))}</span><span class="op"><b>${e(entry.operation ?? "no route")}</b> <span class="path mono">${e(entry.method)} ${e(clip(entry.path))}</span></span><span class="u">${
          entry.userIdentifier === null ? "" : apart(entry.userIdentifier)
        }${entry.bearer === "dead" ? ` ${badge("plain", "dead token")}` : ""}</span><span class="d mono">${e(duration(entry.durationMs))}</span>${
          detail.length === 0 ? "" : `<span class="why">${detail.map((part) => e(clip(part, 400))).join(" — ")}</span>`
        }`
      }
    })

  const words: Readonly<Record<string, string>> = {
    delay: "Late answer",
    drop: "Broken connection",
    status: "Error status",
    malformed: "Malformed body",
    lostAnswer: "Lost answer"
  }

  const faults = (list: ReadonlyArray<ControlApi.ActiveFault>): ReadonlyArray<Item> =>
    list.map((fault) => {
      const where = [fault.method, fault.operation, fault.route].filter((part) => part !== undefined).join(" ")
      const how = [
        fault.kind === "status" ? String(fault.status ?? 503) : null,
        fault.delay === undefined ? null : `${fault.delay} ms`,
        fault.phase === undefined ? null : `${fault.phase} handling`,
        fault.rate === undefined ? null : `${Math.round(fault.rate * 100)} %`,
        fault.count === undefined ? null : `${Math.max(0, fault.count - fault.hits)} of ${fault.count} left`,
        `${fault.hits} hit${fault.hits === 1 ? "" : "s"}`
      ].filter((part) => part !== null)
      return {
        key: String(fault.id),
        html: `<div class="row"><div class="grow"><p class="who">${e(words[fault.kind] ?? fault.kind)} <span class="muted">on ${e(where === "" ? "every request" : clip(where))}</span></p><p class="meta">${how.map(e).join(" · ")}</p></div><div class="actions">${button("remove-fault", fault.id, "Remove", { label: `Remove the fault ${words[fault.kind] ?? fault.kind}` })}</div></div>`
      }
    })

  const clock = (state: ControlApi.Clock): string =>
    `<span class="clock-time mono">${e(time(state.now))}</span> <span class="meta">${e(date(state.now))} UTC</span> ${
      state.offset === 0 ? badge("plain", "real time") : badge("accent", `+${span(state.offset)}`)
    }`

  /** How many rows of a part the page is given at most; where it has so many, the list says so at its end. */
  const limit = 200
  const more = (rows: ReadonlyArray<unknown>): ReadonlyArray<Item> =>
    rows.length < limit
      ? []
      : [{ key: "more", html: `<p class="meta">These are the newest ${limit}; the control API has all.</p>` }]

  const list = (items: ReadonlyArray<Item>): string =>
    items.map((item) => `<li data-key="${e(item.key)}">${item.html}</li>`).join("")

  return { escape: e, until, outbox, users, sessions, requests, faults, clock, limit, more, list }
}

export type Views = ReturnType<typeof makeViews>

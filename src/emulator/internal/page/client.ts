/**
 * What the page does in the browser. Its text is sent there, so it may use nothing from outside of itself but the
 * web's globals; the views come as an argument.
 */
import type * as ControlApi from "../../ControlApi.ts"
import type { Item, Views } from "./views.ts"

interface State {
  clock: ControlApi.Clock
  outbox: NonNullable<ControlApi.Update["outbox"]>
  users: NonNullable<ControlApi.Update["users"]>
  sessions: NonNullable<ControlApi.Update["sessions"]>
  faults: NonNullable<ControlApi.Update["faults"]>
  requests: NonNullable<ControlApi.Update["requests"]>["entries"]
}

export const client = (views: Views) => {
  const base = "/__emulator"
  const token = new URLSearchParams(location.search).get("token")
  const find = (selector: string): HTMLElement | null => document.querySelector<HTMLElement>(selector)
  const browserTime = () => new Date().getTime()
  /** How far the emulator's clock is ahead of the browser's. */
  let skew = 0
  const now = () => browserTime() + skew

  const state: State = {
    clock: { now: browserTime(), offset: 0 },
    outbox: { total: 0, items: [] },
    users: { total: 0, items: [] },
    sessions: { total: 0, items: [] },
    faults: [],
    requests: []
  }

  // -- telling --------------------------------------------------------------

  const announce = (text: string) => {
    const live = find("#live")
    if (live === null) return
    // a text that is said again has to be a change
    live.textContent = live.textContent === text ? `${text}\u00a0` : text
  }

  let hiding = 0
  const toast = (text: string, bad: boolean) => {
    const box = find("#toast")
    if (box === null) return
    box.textContent = text
    box.className = bad ? "toast bad" : "toast"
    box.hidden = false
    window.clearTimeout(hiding)
    hiding = window.setTimeout(
      () => {
        box.hidden = true
      },
      bad ? 8000 : 2500
    )
    announce(text)
  }

  // -- drawing --------------------------------------------------------------

  const drawn = new WeakMap<Element, string>()

  /** Makes a list show its items, and touches only what changed: focus and selection stay where they are. */
  const draw = (selector: string, items: ReadonlyArray<Item>, first: boolean) => {
    const list = find(selector)
    if (list === null) return
    const rows = new Map<string, HTMLElement>()
    for (const row of list.querySelectorAll<HTMLElement>(":scope > li")) rows.set(row.dataset["key"] ?? "", row)
    let place: Element | null = list.firstElementChild
    for (const item of items) {
      let row = rows.get(item.key)
      rows.delete(item.key)
      if (row === undefined) {
        row = document.createElement("li")
        row.dataset["key"] = item.key
        if (!first) row.className = "fresh"
      }
      if (drawn.get(row) !== item.html) {
        const focused = row.contains(document.activeElement) ? document.activeElement : null
        const act = focused instanceof HTMLElement ? focused.dataset["act"] : undefined
        row.innerHTML = item.html
        drawn.set(row, item.html)
        if (act !== undefined) {
          const again =
            row.querySelector<HTMLElement>(`[data-act="${act}"]`) ?? row.querySelector<HTMLElement>("button")
          again?.focus()
        }
      }
      if (row === place) place = place.nextElementSibling
      else list.insertBefore(row, place)
    }
    for (const row of rows.values()) {
      if (row.contains(document.activeElement)) {
        const section = row.closest<HTMLElement>("section")?.querySelector<HTMLElement>("h2")
        section?.focus()
      }
      row.remove()
    }
    list.hidden = items.length === 0
    const none = find(`${selector}-none`)
    if (none !== null) none.hidden = items.length > 0
  }

  const count = (name: string, total: number) => {
    for (const place of document.querySelectorAll(`[data-count="${name}"]`)) place.textContent = String(total)
  }

  const filtered = () => {
    const text = (find("#log-filter") as HTMLInputElement | null)?.value.trim().toLowerCase() ?? ""
    const refused = (find("#log-refused") as HTMLInputElement | null)?.checked === true
    return state.requests.filter(
      (entry) =>
        (!refused || entry.status === null || entry.status >= 400) &&
        (text === "" ||
          [
            entry.operation ?? "no route",
            entry.path,
            entry.userIdentifier,
            entry.reason,
            String(entry.status),
            entry.method
          ].some((part) => part !== null && part.toLowerCase().includes(text)))
    )
  }

  const drawLog = (first: boolean) => {
    const entries = filtered()
    draw(
      "#requests-list",
      entries.length === 0 ? [] : [...views.requests(entries), ...views.more(state.requests)],
      first
    )
    const none = find("#requests-list-none")
    if (none !== null) {
      const text =
        state.requests.length === 0 ? "No requests yet. Secrets never enter this log." : "No request matches."
      if (none.textContent !== text) none.textContent = text
    }
    count("requests", entries.length)
  }

  const drawTimes = () => {
    const clock = find("#clock-now")
    if (clock !== null) clock.innerHTML = views.clock({ now: now(), offset: state.clock.offset })
    const { items: messages } = state.outbox
    const { items: sessions } = state.sessions
    draw("#outbox-list", [...views.outbox(messages, now()).map(frozen), ...views.more(messages)], true)
    draw("#sessions-list", [...views.sessions(sessions, now()).map(frozen), ...views.more(sessions)], true)
    for (const left of document.querySelectorAll<HTMLElement>("[data-until]")) {
      left.textContent = `${left.dataset["words"] ?? ""} ${views.until(Number(left.dataset["until"]), now())}`
    }
  }

  /** Without the seconds that run, which are written into the row apart: a row that only grows older is not redrawn. */
  const frozen = (item: Item): Item => ({
    key: item.key,
    html: item.html.replace(/(data-until="\d+" data-words="[^"]*">)[^<]*/g, "$1")
  })

  /** Whether what is shown came through the connection that is open: after a break another emulator may answer. */
  let met = false
  const take = (update: ControlApi.Update) => {
    const first = !met
    skew = update.clock.now - browserTime()
    state.clock = update.clock
    if (update.users !== undefined) {
      state.users = update.users
      draw("#users-list", [...views.users(state.users.items), ...views.more(state.users.items)], first)
      count("users", state.users.total)
    }
    if (update.sessions !== undefined) {
      state.sessions = update.sessions
      count("sessions", state.sessions.total)
    }
    if (update.faults !== undefined) {
      state.faults = update.faults
      draw("#faults-list", views.faults(state.faults), first)
      count("faults", state.faults.length)
    }
    if (update.outbox !== undefined) {
      const known = new Set(state.outbox.items.map((message) => message.id))
      state.outbox = update.outbox
      count("outbox", state.outbox.items.filter((message) => message.status === "live").length)
      const fresh = state.outbox.items.filter((message) => !known.has(message.id)).at(-1)
      if (!first && fresh !== undefined) announce(`New code ${fresh.code} for ${fresh.userIdentifier}`)
    }
    if (update.requests !== undefined) {
      const { entries, oldest } = update.requests
      const seen = new Set(entries.map((entry) => entry.id))
      state.requests =
        first || oldest === null
          ? [...entries]
          : [...state.requests.filter((entry) => entry.id >= oldest && !seen.has(entry.id)), ...entries].slice(
              -views.limit
            )
      drawLog(first)
    }
    met = true
    drawTimes()
  }

  // -- asking ---------------------------------------------------------------

  const call = async (method: string, path: string, body?: unknown): Promise<boolean> => {
    try {
      const response = await fetch(base + path, {
        method,
        headers: {
          ...(method === "DELETE" ? {} : { "content-type": "application/json" }),
          ...(token === null ? {} : { "x-app-token": token })
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      if (response.ok) return true
      const answer: unknown = await response.json().catch(() => undefined)
      const message =
        typeof answer === "object" && answer !== null && "message" in answer
          ? String(answer.message)
          : response.statusText
      toast(message, true)
    } catch {
      toast("The emulator does not answer", true)
    }
    return false
  }

  const copy = async (button: HTMLElement, text: string) => {
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      // Without the permission, or off a secure origin.
      const area = document.createElement("textarea")
      area.value = text
      area.setAttribute("readonly", "")
      area.className = "sr"
      document.body.append(area)
      area.select()
      const copied = document.execCommand("copy")
      area.remove()
      button.focus()
      if (!copied) {
        toast("Your browser did not let the page copy", true)
        return
      }
    }
    const before = button.textContent
    button.textContent = "Copied"
    button.classList.add("done")
    announce(`Copied ${text}`)
    window.setTimeout(() => {
      if (button.textContent === "Copied") button.textContent = before
      button.classList.remove("done")
    }, 1500)
  }

  /** What cannot be undone wants to be said twice. */
  const confirmed = (button: HTMLElement): boolean => {
    if (button.dataset["armed"] === "yes") return true
    const before = button.textContent
    const label = button.getAttribute("aria-label")
    button.dataset["armed"] = "yes"
    button.textContent = "Really?"
    button.removeAttribute("aria-label")
    announce("Press again to confirm")
    const disarm = () => {
      delete button.dataset["armed"]
      button.textContent = before
      if (label !== null) button.setAttribute("aria-label", label)
      button.removeEventListener("blur", disarm)
    }
    button.addEventListener("blur", disarm)
    window.setTimeout(disarm, 4000)
    return false
  }

  const act = async (button: HTMLElement) => {
    const id = button.dataset["id"] ?? ""
    switch (button.dataset["act"]) {
      case "copy":
        return copy(button, button.dataset["text"] ?? "")
      case "activate":
        if (await call("POST", `/users/${id}/activate`)) toast("Activated", false)
        return
      case "delete-user":
        if (confirmed(button) && (await call("DELETE", `/users/${id}`))) toast("Deleted", false)
        return
      case "expire":
        if (await call("POST", `/sessions/${id}/expire`)) toast("The access token has expired", false)
        return
      case "expire-all":
        if (await call("POST", "/sessions/expire")) toast("All access tokens have expired", false)
        return
      case "revoke":
        if (confirmed(button) && (await call("DELETE", `/sessions/${id}`))) toast("Revoked", false)
        return
      case "advance":
        if (await call("POST", "/clock/advance", { duration: id })) toast(`The clock is ${id} further`, false)
        return
      case "advance-past":
        if (await call("POST", "/clock/advance", { past: id })) toast("The clock is past their expiry", false)
        return
      case "clock-reset":
        if (await call("POST", "/clock/reset")) toast("Back to real time", false)
        return
      case "remove-fault":
        await call("DELETE", `/faults/${id}`)
        return
      case "clear-faults":
        await call("DELETE", "/faults")
        return
      case "reset":
        if (confirmed(button) && (await call("POST", "/reset"))) toast("Back to the beginning", false)
        return
      case "theme":
        return changeTheme(button)
    }
  }

  // -- the theme ------------------------------------------------------------

  const themes = ["auto", "light", "dark"]
  const showTheme = (theme: string) => {
    if (theme === "auto") delete document.documentElement.dataset["theme"]
    else document.documentElement.dataset["theme"] = theme
    const name = find("[data-act=theme] b")
    if (name !== null) name.textContent = theme
  }
  const storedTheme = (): string => {
    try {
      return localStorage.getItem("effect-oneentry-theme") ?? "auto"
    } catch {
      return "auto"
    }
  }
  const changeTheme = (_: HTMLElement) => {
    const next =
      themes[(themes.indexOf(document.documentElement.dataset["theme"] ?? "auto") + 1) % themes.length] ?? "auto"
    showTheme(next)
    announce(`Theme ${next}`)
    try {
      localStorage.setItem("effect-oneentry-theme", next)
    } catch {
      // shown, and forgotten
    }
  }
  showTheme(storedTheme())

  // -- listening ------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("button[data-act]") : null
    if (button !== null) void act(button)
  })

  const form = find("#fault-form") as HTMLFormElement | null
  const showFields = () => {
    const kind = form === null ? "" : String(new FormData(form).get("kind"))
    for (const field of document.querySelectorAll<HTMLElement>("[data-for]")) {
      field.hidden = !(field.dataset["for"] ?? "").split(" ").includes(kind)
    }
  }
  form?.addEventListener("change", showFields)
  form?.addEventListener("submit", (event) => {
    event.preventDefault()
    const data = new FormData(form)
    const text = (name: string) => {
      const field = form.querySelector<HTMLElement>(`[name="${name}"]`)?.closest<HTMLElement>("[data-for]")
      const value = field?.hidden === true ? "" : String(data.get(name) ?? "").trim()
      return value === "" ? undefined : value
    }
    const number = (name: string) => {
      const value = text(name)
      return value === undefined ? undefined : Number(value)
    }
    const where = text("where")
    const rate = number("rate")
    const fault = {
      kind: text("kind"),
      ...(where === undefined ? {} : where.startsWith("/") ? { route: where } : { operation: where }),
      method: text("method"),
      rate: rate === undefined || rate === 100 ? undefined : rate / 100,
      count: number("count"),
      delay: number("delay"),
      status: number("status"),
      body: text("body"),
      phase: text("phase")
    }
    void call("POST", "/faults", fault).then((added) => {
      if (added) toast("The fault is in force", false)
    })
  })
  showFields()

  find("#log-filter")?.addEventListener("input", () => drawLog(true))
  find("#log-refused")?.addEventListener("change", () => drawLog(true))

  window.setInterval(drawTimes, 1000)

  const status = find("#connection")
  const connected = (yes: boolean) => {
    if (status === null) return
    const text = yes ? "live" : "reconnecting…"
    if (status.textContent !== text) status.textContent = text
    status.className = yes ? "dot on" : "dot"
  }
  const source = new EventSource(`${base}/events${token === null ? "" : `?token=${encodeURIComponent(token)}`}`)
  source.addEventListener("open", () => {
    met = false
    connected(true)
  })
  source.addEventListener("error", () => connected(false))
  source.addEventListener("message", (event: MessageEvent<string>) => {
    const update: ControlApi.Update = JSON.parse(event.data)
    take(update)
  })
}

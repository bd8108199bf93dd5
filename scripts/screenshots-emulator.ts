/**
 * Takes the screenshots of the emulator's page for the documentation: `docs/images/emulator-*.png`, on a phone and a
 * wide screen, light and dark. Needs Chromium.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { Effect } from "effect"
import { Control, Emulator } from "../src/emulator/index.ts"
import { launchChromium } from "../test/helpers/chromium.ts"
import { root } from "./lib/package.ts"

const folder = path.resolve(process.argv[2] ?? path.join(root, "docs/images"))

const people = [
  ["ann@example.com", "Chrome", "macOS", "Lisbon"],
  ["bob@example.com", "Safari", "iOS", "Porto"],
  ["eve@example.com", "Firefox", "Linux", "Faro"]
] as const

/** Lets people sign up, sign in and meet refusals, as an application would. */
const live = async (emulator: Emulator.Service) => {
  const users = "/api/content/users-auth-providers/marker/email/users"
  const send = async (method: string, route: string, body?: unknown, headers: Record<string, string> = {}) => {
    try {
      const response = await fetch(emulator.url + route, {
        method,
        headers: { "x-app-token": "emulator-app-token", "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      const answer: unknown = await response.json()
      return Object(answer) as Record<string, string>
    } catch {
      return {}
    }
  }
  const authData = (login: string, password = "123456") => [
    { marker: "email_reg", value: login },
    { marker: "password_reg", value: password }
  ]
  for (const [login, browser, os, location] of people) {
    const device = {
      "x-device-metadata": JSON.stringify({
        fingerprint: `${browser.toLowerCase()}-${os.toLowerCase()}-8f2c`,
        deviceInfo: { browser, os, location }
      })
    }
    await send("GET", "/api/content/forms/marker/reg")
    await send("POST", `${users}/sign-up`, { formIdentifier: "reg", langCode: "en_US", authData: authData(login) })
    if (login === "eve@example.com") {
      await send("POST", `${users}/auth`, { authData: authData(login) }, device)
      continue
    }
    const code = await Effect.runPromise(emulator.awaitCode(login))
    await send("POST", `${users}/activate`, { userIdentifier: login, code })
    const { accessToken, refreshToken } = await send("POST", `${users}/auth`, { authData: authData(login) }, device)
    await send("GET", "/api/content/users/me", undefined, { authorization: `Bearer ${accessToken}` })
    if (login === "ann@example.com") {
      await send("POST", `${users}/auth`, { authData: authData(login, "wrong") }, device)
      await send("POST", `${users}/refresh`, { refreshToken }, device)
      await send("POST", `${users}/refresh`, { refreshToken }, device)
      await send("GET", "/api/content/users/me", undefined, { authorization: `Bearer ${accessToken}` })
    }
  }
  await Effect.runPromise(emulator.faults.add({ kind: "lostAnswer", operation: "refresh", count: 3 }))
  await Effect.runPromise(
    emulator.faults.add({ kind: "delay", route: "/api/content/users/*", delay: 1500, rate: 0.25 })
  )
  await send(
    "POST",
    `${users}/refresh`,
    { refreshToken: "x" },
    { "x-device-metadata": '{"fingerprint":"x","deviceInfo":{}}' }
  )
  await Effect.runPromise(emulator.clock.advance("42 minutes"))
  await send("POST", `${users}/generate-code`, { userIdentifier: "ann@example.com", eventIdentifier: "auth" })
  await send("POST", `${users}/generate-code`, { userIdentifier: "eve@example.com", eventIdentifier: "auth" })
}

const shots = [
  { name: "phone", width: 390, height: 844, scale: 1.5 },
  { name: "wide", width: 1280, height: 860, scale: 1 }
] as const

const program = Effect.gen(function* () {
  const emulator = yield* Emulator.makeServer({ port: 4010, seed: 7, passwordCost: 1, routes: Control.routes })
  yield* Effect.promise(() => live(emulator))
  const browser = yield* launchChromium
  fs.mkdirSync(folder, { recursive: true })
  for (const { height, name, scale, width } of shots) {
    for (const colorScheme of ["light", "dark"] as const) {
      yield* Effect.promise(async () => {
        const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: scale, colorScheme })
        await page.goto(`${emulator.url}/__emulator`)
        await page.locator("#connection.on").waitFor()
        await page.screenshot({
          path: path.join(folder, `emulator-${name}-${colorScheme}.png`),
          fullPage: process.argv.includes("--full")
        })
        if (process.argv.includes("--full")) {
          await page.goto(`${emulator.url}/__emulator/api`)
          await page.locator("details").first().click()
          await page.screenshot({ path: path.join(folder, `api-${name}-${colorScheme}.png`) })
        }
        await page.close()
      })
    }
  }
})

await Effect.runPromise(Effect.scoped(program))
for (const file of fs.readdirSync(folder).filter((file) => file.startsWith("emulator-"))) {
  console.log(`${file}: ${Math.round(fs.statSync(path.join(folder, file)).size / 1024)} KB`)
}

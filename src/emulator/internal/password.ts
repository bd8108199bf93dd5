/**
 * Password hashes: scrypt where the platform has it (Node, Bun, Deno, workerd with its compatibility flag), PBKDF2 of
 * Web Crypto elsewhere. The algorithm and its cost travel with each hash, so that hashes outlive a change of either.
 */
import * as Effect from "effect/Effect"
import { equalBytes, fromHex, hex, utf8 } from "./bytes.ts"
import type { Random } from "./random.ts"

type Derive = (password: string, salt: Uint8Array<ArrayBuffer>, cost: number) => Promise<Uint8Array>

const length = 32

const pbkdf2: Derive = async (password, salt, cost) => {
  const key = await globalThis.crypto.subtle.importKey("raw", utf8(password), "PBKDF2", false, ["deriveBits"])
  const bits = await globalThis.crypto.subtle.deriveBits(
    // cost 14 gives 98,304 rounds; workerd refuses more than 100,000
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: Math.min(100_000, 6 * 2 ** cost) },
    key,
    length * 8
  )
  return new Uint8Array(bits)
}

type NodeCrypto = typeof import("node:crypto")

const scryptOf =
  (crypto: NodeCrypto): Derive =>
  (password, salt, cost) =>
    new Promise((resolve, reject) => {
      const maxmem = 2048 * 2 ** cost + 1_048_576 // twice what it takes
      crypto.scrypt(password, salt, length, { N: 2 ** cost, r: 8, p: 1, maxmem }, (error, key) =>
        // Node says null where nothing went wrong, Bun undefined.
        error ? reject(error) : resolve(key)
      )
    })

let loading: Promise<Derive | undefined> | undefined

// The name is a value so that bundlers for the web leave the import alone.
const nodeCrypto: string = "node:crypto"

const scrypt = (): Promise<Derive | undefined> =>
  (loading ??= import(/* @vite-ignore */ /* webpackIgnore: true */ nodeCrypto).then(
    (crypto: NodeCrypto) => (typeof crypto.scrypt === "function" ? scryptOf(crypto) : undefined),
    () => undefined
  ))

export interface Passwords {
  readonly hash: (password: string) => Effect.Effect<string>
  readonly hashWith: (algorithm: "scrypt" | "pbkdf2", password: string) => Effect.Effect<string>
  readonly verify: (password: string, stored: string | null) => Effect.Effect<boolean>
}

/** `cost` is the logarithm of scrypt's N. */
export const make = (random: Random, cost: number): Passwords => {
  const derive = (algorithm: string, password: string, salt: Uint8Array<ArrayBuffer>, cost: number) =>
    Effect.promise(async () => {
      const native = algorithm === "pbkdf2" ? undefined : await scrypt()
      return native === undefined
        ? { algorithm: "pbkdf2", key: await pbkdf2(password, salt, cost) }
        : { algorithm: "scrypt", key: await native(password, salt, cost) }
    })
  const hashWith = (wanted: "scrypt" | "pbkdf2", password: string) =>
    Effect.suspend(() => {
      const salt = random.bytes(16)
      return Effect.map(
        derive(wanted, password, salt, cost),
        ({ algorithm, key }) => `${algorithm}$${cost}$${hex(salt)}$${hex(key)}`
      )
    })
  return {
    hash: (password) => hashWith("scrypt", password),
    hashWith,
    verify: (password, stored) => {
      // An unknown login costs what a wrong password costs.
      const [algorithm = "", usedCost = "", salt = "", key = ""] = (
        stored ?? `scrypt$${cost}$${"00".repeat(16)}$${"00".repeat(length)}`
      ).split("$")
      return Effect.map(
        derive(algorithm, password, fromHex(salt), Number(usedCost)),
        (derived) => derived.algorithm === algorithm && equalBytes(derived.key, fromHex(key)) && stored !== null
      )
    }
  }
}

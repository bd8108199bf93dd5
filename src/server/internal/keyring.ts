/**
 * Keys of the cookies: each secret gives one key to seal with (AES-256-GCM), one to sign with (HMAC-SHA-256) and a
 * public id, by HKDF. The first seals and signs, all open and verify, found by their id.
 */
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TokenStorage from "../../TokenStorage.ts"

/** What a cookie held, and whether the first key made it. */
export interface Opened {
  readonly text: string
  readonly current: boolean
}

export interface Keyring {
  /** `name` is authenticated with the text: a value of one cookie is nothing in another. */
  readonly seal: (name: string, text: string) => Promise<string>
  readonly open: (name: string, sealed: string) => Promise<Opened | undefined>
  readonly sign: (name: string, text: string) => Promise<string>
  readonly verify: (name: string, signed: string) => Promise<Opened | undefined>
  /** How long the sealed text of so many bytes is. */
  readonly sealedLength: (bytes: number) => number
  readonly random: (bytes: number) => string
  /** SHA-256 in base64url. */
  readonly hash: (text: string) => Promise<string>
}

interface Key {
  readonly id: string
  readonly aes: CryptoKey
  readonly hmac: CryptoKey
}

const nonceLength = 12
const tagLength = 16
const idLength = 6

const encoder = new TextEncoder()

const bytesOf = (text: string): Uint8Array<ArrayBuffer> | undefined => {
  const decoded = Base64Url.decode(text)
  return Result.isFailure(decoded) ? undefined : new Uint8Array(decoded.success)
}

const derive = async (subtle: SubtleCrypto, raw: Uint8Array<ArrayBuffer>): Promise<Key> => {
  const secret = await subtle.importKey("raw", raw, "HKDF", false, ["deriveBits", "deriveKey"])
  const from = (purpose: string): HkdfParams => ({
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(0),
    info: encoder.encode(`effect-oneentry/server/${purpose}`)
  })
  const [id, aes, hmac] = await Promise.all([
    subtle.deriveBits(from("id"), secret, idLength * 8),
    subtle.deriveKey(from("seal"), secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
    subtle.deriveKey(from("sign"), secret, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign", "verify"])
  ])
  return { id: Base64Url.encode(new Uint8Array(id)), aes, hmac }
}

const importKey = (subtle: SubtleCrypto, key: TokenStorage.EncryptionKey, index: number) =>
  Effect.suspend(() => {
    const fail = (reason: TokenStorage.EncryptionKeyError["reason"]) =>
      Effect.fail(new TokenStorage.EncryptionKeyError({ index, reason }))
    const value: string | Uint8Array = Redacted.value<string | Uint8Array>(key)
    const raw = typeof value === "string" ? bytesOf(value.trim()) : new Uint8Array(value)
    if (raw === undefined) return fail("NotBase64Url")
    if (raw.length !== 32) return fail("NotA256BitKey")
    return Effect.tryPromise({
      try: () => derive(subtle, raw),
      catch: () => new TokenStorage.EncryptionKeyError({ index, reason: "NotA256BitKey" })
    })
  })

/** Makes a keyring; `context` tells applications apart that share a key. */
export const make = Effect.fnUntraced(function* (
  secrets: TokenStorage.EncryptionKey | ReadonlyArray<TokenStorage.EncryptionKey>,
  context: string
): Effect.fn.Return<Keyring, TokenStorage.EncryptionKeyError> {
  const crypto = yield* WebCrypto.WebCrypto
  // Absent where the platform has none, whatever its type says.
  const subtle: SubtleCrypto | undefined = crypto?.subtle
  if (subtle === undefined) {
    return yield* new TokenStorage.EncryptionKeyError({ index: 0, reason: "WebCryptoUnavailable" })
  }
  const keys = yield* Effect.forEach(Redacted.isRedacted(secrets) ? [secrets] : secrets, (secret, index) =>
    importKey(subtle, secret, index)
  )
  const [first] = keys
  if (first === undefined) return yield* new TokenStorage.EncryptionKeyError({ index: 0, reason: "Missing" })

  const bound = (purpose: string, name: string, id: string) => JSON.stringify([purpose, 1, context, name, id])

  const gcm = (iv: Uint8Array<ArrayBuffer>, name: string, id: string): AesGcmParams => ({
    name: "AES-GCM",
    iv,
    additionalData: encoder.encode(bound("seal", name, id))
  })

  const signedBytes = (name: string, id: string, text: string) => encoder.encode(`${bound("sign", name, id)}${text}`)

  const keyOf = (text: string): readonly [Key, string] | undefined => {
    const dot = text.indexOf(".")
    const key = dot === -1 ? undefined : keys.find(({ id }) => id === text.slice(0, dot))
    return key === undefined ? undefined : [key, text.slice(dot + 1)]
  }

  return {
    seal: async (name, text) => {
      const iv = crypto.getRandomValues(new Uint8Array(nonceLength))
      const sealed = await subtle.encrypt(gcm(iv, name, first.id), first.aes, encoder.encode(text))
      const bytes = new Uint8Array(nonceLength + sealed.byteLength)
      bytes.set(iv)
      bytes.set(new Uint8Array(sealed), nonceLength)
      return `${first.id}.${Base64Url.encode(bytes)}`
    },
    open: async (name, sealed) => {
      const found = keyOf(sealed)
      if (found === undefined) return undefined
      const [key, rest] = found
      const bytes = bytesOf(rest)
      if (bytes === undefined || bytes.length <= nonceLength + tagLength) return undefined
      try {
        const text = await subtle.decrypt(
          gcm(bytes.slice(0, nonceLength), name, key.id),
          key.aes,
          bytes.slice(nonceLength)
        )
        return {
          text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text),
          current: key === first
        }
      } catch {
        // Not made by this key, for this cookie, in this application.
        return undefined
      }
    },
    sign: async (name, text) => {
      const mac = await subtle.sign("HMAC", first.hmac, signedBytes(name, first.id, text))
      return `${first.id}.${text}.${Base64Url.encode(new Uint8Array(mac))}`
    },
    verify: async (name, signed) => {
      const found = keyOf(signed)
      if (found === undefined) return undefined
      const [key, rest] = found
      const dot = rest.lastIndexOf(".")
      const mac = dot === -1 ? undefined : bytesOf(rest.slice(dot + 1))
      if (mac === undefined) return undefined
      const text = rest.slice(0, dot)
      return (await subtle.verify("HMAC", key.hmac, mac, signedBytes(name, key.id, text)))
        ? { text, current: key === first }
        : undefined
    },
    sealedLength: (bytes) => first.id.length + 1 + Math.ceil(((nonceLength + bytes + tagLength) * 4) / 3),
    random: (bytes) => Base64Url.encode(crypto.getRandomValues(new Uint8Array(bytes))),
    hash: async (text) => Base64Url.encode(new Uint8Array(await subtle.digest("SHA-256", encoder.encode(text))))
  }
})

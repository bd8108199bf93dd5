/** Small helpers over bytes and text. */
const encoder = new TextEncoder()

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text)

// Where there is a Buffer, it is many times faster; not imported, so that the module loads without one.
const buffer = "Buffer" in globalThis && typeof globalThis.Buffer === "function" ? globalThis.Buffer : undefined

const toBase64Url = (bytes: Uint8Array): string => {
  let binary = ""
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")
}

export const base64Url: (bytes: Uint8Array) => string =
  buffer === undefined
    ? toBase64Url
    : (bytes) => buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url")

const digits = "0123456789abcdef"

const toHex = (bytes: Uint8Array): string => {
  let out = ""
  for (const byte of bytes) out += digits.charAt(byte >> 4) + digits.charAt(byte & 15)
  return out
}

export const hex: (bytes: Uint8Array) => string =
  buffer === undefined
    ? toHex
    : (bytes) => buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")

export const fromHex = (text: string): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(text.length >> 1)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(i * 2, i * 2 + 2), 16)
  return out
}

/** Takes the same time wherever two texts of one length differ. */
export const equalText = (a: string, b: string): boolean => {
  let difference = a.length ^ b.length
  const length = Math.max(a.length, b.length)
  for (let i = 0; i < length; i++) difference |= (a.charCodeAt(i) | 0) ^ (b.charCodeAt(i) | 0)
  return difference === 0
}

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  let difference = a.length ^ b.length
  const length = Math.max(a.length, b.length)
  for (let i = 0; i < length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}

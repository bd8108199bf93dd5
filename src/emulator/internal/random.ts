/**
 * Where codes, token ids, salts and secrets come from: the platform's CSPRNG, or a seeded generator for runs that
 * must repeat.
 */
import { hex } from "./bytes.ts"

export interface Random {
  readonly bytes: (length: number) => Uint8Array<ArrayBuffer>
  readonly uuid: () => string
  /** An index below `bound`, without bias. */
  readonly below: (bound: number) => number
  /** A number in [0, 1). */
  readonly fraction: () => number
}

const fromFill = (fill: (target: Uint8Array<ArrayBuffer>) => void): Random => {
  const bytes = (length: number) => {
    const out = new Uint8Array(length)
    fill(out)
    return out
  }
  const word = () => {
    const b = bytes(4)
    return new DataView(b.buffer).getUint32(0)
  }
  return {
    bytes,
    uuid: () => {
      const b = bytes(16)
      b[6] = ((b[6] as number) & 0x0f) | 0x40
      b[8] = ((b[8] as number) & 0x3f) | 0x80
      const h = hex(b)
      return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`
    },
    below: (bound) => {
      const limit = 0x100000000 - (0x100000000 % bound)
      let value = word()
      while (value >= limit) value = word()
      return value % bound
    },
    fraction: () => word() / 0x100000000
  }
}

// Asking the platform costs the same for 16 bytes as for 4096.
const pool = new Uint8Array(4096)
let used = pool.length

const pooled = fromFill((target) => {
  if (target.length > 256) {
    globalThis.crypto.getRandomValues(target)
    return
  }
  if (used + target.length > pool.length) {
    globalThis.crypto.getRandomValues(pool)
    used = 0
  }
  target.set(pool.subarray(used, used + target.length))
  // what was given out is not kept
  pool.fill(0, used, used + target.length)
  used += target.length
})

export const secure: Random =
  // absent where a page was not loaded over TLS
  typeof globalThis.crypto.randomUUID === "function"
    ? { ...pooled, uuid: () => globalThis.crypto.randomUUID() }
    : pooled

/** sfc32: small, fast and good enough to repeat a test run with. Never for secrets that matter. */
export const seeded = (seed: number): Random => {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = seed | 0
  let d = 1
  const next = () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t
  }
  for (let i = 0; i < 12; i++) next()
  return fromFill((target) => {
    for (let i = 0; i < target.length; i += 4) {
      const value = next()
      for (let j = 0; j < 4 && i + j < target.length; j++) target[i + j] = (value >>> (j * 8)) & 0xff
    }
  })
}

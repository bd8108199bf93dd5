/**
 * SHA-256 and HMAC-SHA-256, synchronous. Web Crypto only has them as promises; signing without a hop keeps the
 * spending of a one-time token and the issue of the next one a single step that nothing can come between.
 */
const K = new Uint32Array(64)
const H = new Uint32Array(8)

// The constants are the fractional parts of roots of the first primes; deriving them is shorter than a table.
{
  let found = 0
  for (let candidate = 2; found < 64; candidate++) {
    let prime = true
    for (let factor = 2; factor * factor <= candidate; factor++) {
      if (candidate % factor === 0) {
        prime = false
        break
      }
    }
    if (!prime) continue
    if (found < 8) H[found] = (Math.sqrt(candidate) % 1) * 0x100000000
    K[found] = (Math.cbrt(candidate) % 1) * 0x100000000
    found++
  }
}

const W = new Uint32Array(64)

const at = (array: Uint32Array, index: number): number => array[index] as number

const compress = (state: Uint32Array, bytes: Uint8Array, offset: number): void => {
  for (let i = 0; i < 16; i++) {
    const j = offset + i * 4
    W[i] =
      ((bytes[j] as number) << 24) |
      ((bytes[j + 1] as number) << 16) |
      ((bytes[j + 2] as number) << 8) |
      (bytes[j + 3] as number)
  }
  for (let i = 16; i < 64; i++) {
    const x = at(W, i - 15)
    const y = at(W, i - 2)
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    W[i] = (at(W, i - 16) + s0 + at(W, i - 7) + s1) | 0
  }
  let a = at(state, 0)
  let b = at(state, 1)
  let c = at(state, 2)
  let d = at(state, 3)
  let e = at(state, 4)
  let f = at(state, 5)
  let g = at(state, 6)
  let h = at(state, 7)
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + at(K, i) + at(W, i)) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0] = at(state, 0) + a
  state[1] = at(state, 1) + b
  state[2] = at(state, 2) + c
  state[3] = at(state, 3) + d
  state[4] = at(state, 4) + e
  state[5] = at(state, 5) + f
  state[6] = at(state, 6) + g
  state[7] = at(state, 7) + h
}

const finish = (state: Uint32Array, bytes: Uint8Array, before: number): Uint8Array => {
  const whole = bytes.length - (bytes.length % 64)
  for (let offset = 0; offset < whole; offset += 64) compress(state, bytes, offset)
  const rest = bytes.length - whole
  const tail = new Uint8Array(rest < 56 ? 64 : 128)
  tail.set(bytes.subarray(whole))
  tail[rest] = 0x80
  const view = new DataView(tail.buffer)
  const bits = (before + bytes.length) * 8
  view.setUint32(tail.length - 8, Math.floor(bits / 0x100000000))
  view.setUint32(tail.length - 4, bits >>> 0)
  for (let offset = 0; offset < tail.length; offset += 64) compress(state, tail, offset)
  const out = new Uint8Array(32)
  const outView = new DataView(out.buffer)
  for (let i = 0; i < 8; i++) outView.setUint32(i * 4, at(state, i))
  return out
}

export const sha256 = (bytes: Uint8Array): Uint8Array => finish(H.slice(), bytes, 0)

/** Prepares a key, so that each signature costs the message and one block. */
export const hmacSha256 = (key: Uint8Array): ((message: Uint8Array) => Uint8Array) => {
  const block = new Uint8Array(64)
  block.set(key.length > 64 ? sha256(key) : key)
  const inner = H.slice()
  const outer = H.slice()
  compress(
    inner,
    block.map((byte) => byte ^ 0x36),
    0
  )
  compress(
    outer,
    block.map((byte) => byte ^ 0x5c),
    0
  )
  return (message) => finish(outer.slice(), finish(inner.slice(), message, 64), 64)
}

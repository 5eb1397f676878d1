// SHA-256: the page has its own only where it came over https or from this machine.

// fractions of the roots of the first primes, as the standard FIPS 180-4 has them
const FIRST = Int32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)))
const ROUNDS = Int32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)))

function primes(count) {
  const found = []
  for (let n = 2; found.length < count; n += 1) if (found.every((prime) => n % prime)) found.push(n)
  return found
}

function fraction(value) {
  return ((value - Math.floor(value)) * 2 ** 32) | 0
}

/** The same as `sha256`, by the page itself where it can: then nothing else has to wait. */
export async function sha256Soon(bytes) {
  const subtle = globalThis.crypto?.subtle
  return subtle ? hex(new Uint8Array(await subtle.digest('SHA-256', bytes))) : sha256(bytes)
}

/**
 * The hash in 64 hexadecimal digits.
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function sha256(bytes) {
  const state = Int32Array.from(FIRST)
  const words = new Int32Array(64)
  const whole = bytes.length - (bytes.length % 64)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < whole; at += 64) block(state, words, view, at)
  const rest = bytes.length - whole
  const last = new Uint8Array(rest < 56 ? 64 : 128)
  last.set(bytes.subarray(whole))
  last[rest] = 0x80
  const end = new DataView(last.buffer)
  end.setBigUint64(last.length - 8, BigInt(bytes.length) * 8n)
  for (let at = 0; at < last.length; at += 64) block(state, words, end, at)
  const out = new DataView(new ArrayBuffer(32))
  state.forEach((word, i) => out.setInt32(4 * i, word))
  return hex(new Uint8Array(out.buffer))
}

const turned = (word, by) => (word >>> by) | (word << (32 - by))

function block(state, words, view, at) {
  for (let i = 0; i < 16; i += 1) words[i] = view.getInt32(at + 4 * i)
  for (let i = 16; i < 64; i += 1) {
    const [one, two] = [words[i - 15], words[i - 2]]
    const low = turned(one, 7) ^ turned(one, 18) ^ (one >>> 3)
    const high = turned(two, 17) ^ turned(two, 19) ^ (two >>> 10)
    words[i] = words[i - 16] + low + words[i - 7] + high
  }
  let [a, b, c, d, e, f, g, h] = state
  for (let i = 0; i < 64; i += 1) {
    const some = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)
    const first = (h + some + ((e & f) ^ (~e & g)) + ROUNDS[i] + words[i]) | 0
    const more = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)
    const second = (more + ((a & b) ^ (a & c) ^ (b & c))) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0]
  }
  ;[a, b, c, d, e, f, g, h].forEach((word, i) => { state[i] += word })
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

// Reads the PNG files that tests write: 8 bits, not interlaced, grey, RGB or RGBA -> straight RGBA.
import { inflateSync } from 'node:zlib'

const CHANNELS = { 0: 1, 2: 3, 4: 2, 6: 4 }

export function decodePng(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts = []
  let [width, height, kind] = [0, 0, 0]
  for (let at = 8; at < bytes.length;) {
    const length = view.getUint32(at)
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    if (name === 'IHDR') [width, height, kind] = [view.getUint32(at + 8), view.getUint32(at + 12), bytes[at + 17]]
    if (name === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + length))
    at += 12 + length
  }
  const channels = CHANNELS[kind]
  const rows = unfiltered(inflateSync(Buffer.concat(parts)), width * channels, height, channels)
  const data = new Uint8Array(4 * width * height)
  for (let i = 0; i < width * height; i += 1) {
    const pixel = rows.subarray(i * channels, (i + 1) * channels)
    const [red, green, blue, alpha = 255] = channels > 2 ? pixel : [pixel[0], pixel[0], pixel[0], pixel[1]]
    data.set([red, green, blue, alpha], 4 * i)
  }
  return { width, height, data }
}

function unfiltered(raw, line, height, channels) {
  const out = new Uint8Array(line * height)
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (line + 1)]
    for (let x = 0; x < line; x += 1) {
      const left = x >= channels ? out[y * line + x - channels] : 0
      const up = y ? out[(y - 1) * line + x] : 0
      const corner = y && x >= channels ? out[(y - 1) * line + x - channels] : 0
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]
      out[y * line + x] = raw[y * (line + 1) + 1 + x] + guess
    }
  }
  return out
}

function paeth(left, up, corner) {
  const [a, b, c] = [left, up, corner].map((one) => Math.abs(left + up - corner - one))
  return a <= b && a <= c ? left : b <= c ? up : corner
}

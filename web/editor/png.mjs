// Writes PNG files with straight alpha: a canvas would lose the colour of what is half transparent.

const CRC = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})
const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
const ROWS_AT_ONCE = 64
const STRIDE = 13 // of the bytes that decide on a row's filter
const [LEFT, UP] = [1, 2] // filters: a byte less the one of the pixel before, or above

/**
 * The same picture always gives the same file in the same browser.
 * @param {{width: number, height: number, data: Uint8Array}} picture straight RGBA
 * @returns {Promise<Blob>}
 */
export async function encodePng({ width, height, data }) {
  const header = new DataView(new ArrayBuffer(13))
  header.setUint32(0, width)
  header.setUint32(4, height)
  header.setUint16(8, 0x0806) // 8 bits, RGBA
  const rows = new ReadableStream({ pull: pullRows(width, height, data) })
  const packed = rows.pipeThrough(new CompressionStream('deflate')).getReader()
  const parts = [SIGNATURE, ...chunk('IHDR', new Uint8Array(header.buffer))]
  for (let read = await packed.read(); !read.done; read = await packed.read()) {
    parts.push(...chunk('IDAT', read.value))
  }
  return new Blob([...parts, ...chunk('IEND', new Uint8Array(0))], { type: 'image/png' })
}

function chunk(name, bytes) {
  const head = new Uint8Array(8)
  new DataView(head.buffer).setUint32(0, bytes.length)
  for (let i = 0; i < 4; i += 1) head[4 + i] = name.charCodeAt(i)
  const tail = new DataView(new ArrayBuffer(4))
  tail.setInt32(0, ~crcOf(bytes, crcOf(head.subarray(4), -1)))
  return [head, bytes, new Uint8Array(tail.buffer)]
}

function crcOf(bytes, crc) {
  for (let i = 0; i < bytes.length; i += 1) crc = CRC[(crc ^ bytes[i]) & 255] ^ (crc >>> 8)
  return crc
}

function pullRows(width, height, data) {
  let y = 0
  return (sink) => {
    const count = Math.min(ROWS_AT_ONCE, height - y)
    const out = new Uint8Array(count * (4 * width + 1))
    for (let k = 0; k < count; k += 1, y += 1) filterRow(data, y, 4 * width, out, k * (4 * width + 1))
    sink.enqueue(out)
    if (y === height) sink.close()
  }
}

/** The row less the pixels before or above, whichever leaves the smaller numbers. */
function filterRow(data, y, line, out, at) {
  const start = y * line
  const sum = (distance) => {
    let all = 0
    for (let i = 4; i < line; i += STRIDE) {
      all += Math.abs(((data[start + i] - data[start + i - distance]) << 24) >> 24)
    }
    return all
  }
  const up = y > 0 && sum(line) <= sum(4)
  const [distance, first] = up ? [line, 0] : [4, 4]
  out[at] = up ? UP : LEFT
  for (let i = 0; i < first; i += 1) out[at + 1 + i] = data[start + i]
  for (let i = first; i < line; i += 1) out[at + 1 + i] = data[start + i] - data[start + i - distance]
}

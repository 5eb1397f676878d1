// Pixels of a picture in another size: collage_core/imaging/resample.py for straight RGBA bytes.
// Only the part that is asked for is made, so that a large picture is never held as numbers.

const OPAQUE = 253 // of 255, and above: alpha of 0.99 counts as 1, as in clean_pixels of Python
const ROWS_AT_ONCE = 64 // between two chances to stop

/** Alpha in [0, 1] of a byte. */
export const ALPHA = Float64Array.from({ length: 256 }, (_, byte) => (byte >= OPAQUE ? 1 : byte / 255))
const PREMULTIPLIED = ALPHA.map((alpha) => alpha / 255) // what a byte of colour is multiplied with

/**
 * A part of a picture that was shrunk to rows x columns: premultiplied colour and alpha in [0, 1],
 * 4 numbers a pixel. Each new pixel is the mean of the area that it covers.
 * @param {{width: number, height: number, data: Uint8Array}} picture straight RGBA
 * @param {number} rows at most its height
 * @param {number} columns at most its width
 * @param {{top: number, left: number, bottom: number, right: number}} part of rows x columns
 * @returns {Generator<undefined, Float32Array>} it yields where the work may be given up
 */
export function* shrunk(picture, rows, columns, { top, left, bottom, right }) {
  const { width, height, data } = picture
  const wide = right - left
  const across = overlaps(width, columns, left, right)
  const from = 4 * across[0].first
  const to = 4 * (across.at(-1).first + across.at(-1).shares.length)
  const sums = new Float64Array(to - from)
  const out = new Float32Array(4 * wide * (bottom - top))
  let done = 0
  for (const [r, { first, shares }] of overlaps(height, rows, top, bottom).entries()) {
    sums.fill(0)
    for (let k = 0; k < shares.length; k += 1) {
      addRow(sums, data, 4 * (first + k) * width + from, shares[k])
      if ((done += 1) % ROWS_AT_ONCE === 0) yield
    }
    shrinkRow(sums, from, across, out, 4 * r * wide)
  }
  return out
}

/** Of each new pixel from `start` to `end`: the first old one in it, and the share of each. */
function overlaps(old, size, start, end) {
  return Array.from({ length: end - start }, (_, i) => {
    if (old === size) return { first: start + i, shares: [1] }
    const [from, to] = [((start + i) * old) / size, ((start + i + 1) * old) / size]
    const first = Math.min(Math.floor(from), old - 1)
    const last = Math.min(Math.ceil(to), old)
    const shares = Array.from({ length: last - first }, (_, k) =>
      (Math.min(to, first + k + 1) - Math.max(from, first + k)) * (size / old))
    return { first, shares }
  })
}

function addRow(sums, data, at, share) {
  for (let i = 0, o = at; i < sums.length; i += 4, o += 4) {
    const alpha = data[o + 3]
    if (alpha === 0) continue
    const times = PREMULTIPLIED[alpha] * share
    sums[i] += data[o] * times
    sums[i + 1] += data[o + 1] * times
    sums[i + 2] += data[o + 2] * times
    sums[i + 3] += ALPHA[alpha] * share
  }
}

function shrinkRow(sums, from, across, out, at) {
  for (let c = 0, o = at; c < across.length; c += 1, o += 4) {
    const { first, shares } = across[c]
    let [red, green, blue, alpha] = [0, 0, 0, 0]
    for (let k = 0, i = 4 * first - from; k < shares.length; k += 1, i += 4) {
      red += sums[i] * shares[k]
      green += sums[i + 1] * shares[k]
      blue += sums[i + 2] * shares[k]
      alpha += sums[i + 3] * shares[k]
    }
    out[o] = red
    out[o + 1] = green
    out[o + 2] = blue
    out[o + 3] = alpha
  }
}

/** Halves go to the even number, as Python rounds. */
export function roundEven(value) {
  const whole = Math.floor(value)
  const rest = value - whole
  return rest < 0.5 || (rest === 0.5 && whole % 2 === 0) ? whole : whole + 1
}

/**
 * A picture that covers a canvas, cropped around its middle: premultiplied, 4 numbers a pixel.
 * It yields as `place` does.
 * @returns {Generator<undefined | object, Float32Array>}
 */
export function* covering(picture, height, width) {
  const key = `cover ${height} ${width}`
  const pixels = picture.kept.get(key) ??
    (yield* covered({ ...picture, data: yield picture }, height, width))
  picture.kept.set(key, pixels)
  return pixels
}

function* covered(picture, height, width) {
  const scale = Math.max(height / picture.height, width / picture.width)
  const rows = Math.max(1, roundEven(height / scale))
  const columns = Math.max(1, roundEven(width / scale))
  const middle = cropped(picture, rows, columns)
  const all = (bottom, right) => ({ top: 0, left: 0, bottom, right })
  if (scale < 1) return yield* shrunk(middle, height, width, all(height, width))
  return stretched(yield* shrunk(middle, rows, columns, all(rows, columns)), rows, columns, height, width)
}

/** Bilinear, from rows x columns to a size that is not smaller; 4 numbers a pixel. */
function stretched(source, rows, columns, height, width) {
  const out = new Float32Array(4 * height * width)
  const across = Array.from({ length: width }, (_, x) => neighbours(x, width, columns))
  for (let y = 0, o = 0; y < height; y += 1) {
    const [above, below, down] = neighbours(y, height, rows)
    for (let x = 0; x < width; x += 1) {
      const [before, after, along] = across[x]
      for (let c = 0; c < 4; c += 1, o += 1) {
        const at = (row, column) => source[4 * (row * columns + column) + c]
        const upper = at(above, before) * (1 - along) + at(above, after) * along
        const lower = at(below, before) * (1 - along) + at(below, after) * along
        out[o] = upper * (1 - down) + lower * down
      }
    }
  }
  return out
}

function cropped({ width, height, data }, rows, columns) {
  if (rows === height && columns === width) return { width, height, data }
  const [top, left] = [Math.floor((height - rows) / 2), Math.floor((width - columns) / 2)]
  const out = new Uint8Array(4 * rows * columns)
  for (let y = 0; y < rows; y += 1) {
    const start = 4 * ((top + y) * width + left)
    out.set(data.subarray(start, start + 4 * columns), 4 * y * columns)
  }
  return { width: columns, height: rows, data: out }
}

/** The two old pixels that a new one lies between, and how far on the way to the second. */
function neighbours(i, size, old) {
  const at = Math.max(0, ((i + 0.5) * old) / size - 0.5)
  const first = Math.min(Math.floor(at), old - 1)
  return [first, Math.min(first + 1, old - 1), at - first]
}

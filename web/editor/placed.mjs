// The pixels of a layer on the canvas, in float32: place_layer of collage_core/collage/placement.py.
import { scaleOf, turnedSize } from './placement.mjs'
import { roundEven, shrunk } from './resample.mjs'

const STEPS_PER_PIXEL = 1024 // to which edges are rounded, so that rounding errors do not blur
const WHOLE = 2 // a shrunk picture of at most so many canvases is kept whole, for moving and turning
const f = Math.fround

/**
 * Premultiplied pixels of a layer from `top` and `left` of the canvas on, 4 numbers each.
 * null for a layer that is wholly outside of the canvas. A generator, which yields undefined where
 * the work may be given up, and the picture where it needs its straight RGBA bytes.
 * @param {{width: number, height: number, kept: Map}} picture kept: parts of it that earlier calls
 *   made, for later ones
 * @returns {Generator<undefined | object, {top: number, left: number, height: number, width: number,
 *   pixels: Float32Array} | null>}
 */
export function* place(picture, document, layer) {
  const frame = frameOf(picture, document, layer)
  const window = windowOf(frame, document)
  if (!window) return null
  const exact = isExact(frame, window)
  const wanted = exact ? straightPart(window) : neededPart(frame, window)
  const source = yield* sourceOf(picture, frame, wanted, document)
  const out = new Float32Array(4 * window.height * window.width)
  if (exact) copy(frame, window, source, out)
  else sample(frame, window, source, out)
  if (layer.opacity !== 1) for (let i = 0; i < out.length; i += 1) out[i] *= layer.opacity
  return { top: window.top, left: window.left, height: window.height, width: window.width, pixels: out }
}

/** The picture as it is sampled, after its quarter turns, and the box on the canvas it fills. */
function frameOf(picture, document, layer) {
  const turn = ((layer.rotation % 360) + 360) % 360
  const quarters = turn % 90 === 0 ? turn / 90 : 0
  const degrees = turn % 90 === 0 ? 0 : turn
  const scale = scaleOf(document, layer, [picture.width, picture.height])
  const shrinks = scale < 1
  const height = shrinks ? Math.max(1, roundEven(picture.height * scale)) : picture.height
  const width = shrinks ? Math.max(1, roundEven(picture.width * scale)) : picture.width
  const upright = quarters % 2 === 0
  return {
    height, width, quarters, degrees, flip: layer.flip,
    rows: upright ? height : width, // of the picture when it stands upright
    columns: upright ? width : height,
    tall: (upright ? picture.height : picture.width) * scale,
    wide: (upright ? picture.width : picture.height) * scale,
    cx: layer.x * document.width,
    cy: layer.y * document.height,
  }
}

function windowOf({ tall, wide, degrees, cx, cy }, document) {
  const [high, broad] = turnedSize(tall, wide, degrees)
  const [y, top, bottom] = touched(cy, high, document.height)
  const [x, left, right] = touched(cx, broad, document.width)
  if (bottom <= top || right <= left) return null
  return { x, y, top, left, height: bottom - top, width: right - left }
}

function touched(centre, extent, size) {
  const start = roundEven((centre - extent / 2) * STEPS_PER_PIXEL) / STEPS_PER_PIXEL
  const end = roundEven((centre + extent / 2) * STEPS_PER_PIXEL) / STEPS_PER_PIXEL
  return [start, Math.max(0, Math.floor(start)), Math.min(size, Math.ceil(end))]
}

/** Whether every pixel of the picture is one of the canvas. */
function isExact({ degrees, rows, columns, tall, wide }, { x, y }) {
  return degrees === 0 && rows === tall && columns === wide && Number.isInteger(x) && Number.isInteger(y)
}

const straightPart = ({ x, y, top, left, height, width }) =>
  ({ top: top - y, left: left - x, bottom: top - y + height, right: left - x + width })

/**
 * Where each pixel of the window lies in the box, from -1 to 1 across and down: the sum of a number
 * of its row and one of its column.
 */
function grid({ degrees, cx, cy, tall, wide }, { top, left, height, width }) {
  const angle = (degrees * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const line = (length, from) => (factor) => Float32Array.from({ length }, (_, i) => factor * (from + i))
  const [rows, columns] = [line(height, top + 0.5 - cy), line(width, left + 0.5 - cx)]
  return {
    across: { rows: rows(-sin / (wide / 2)), columns: columns(cos / (wide / 2)) },
    down: { rows: rows(cos / (tall / 2)), columns: columns(sin / (tall / 2)) },
  }
}

/** From -1 to 1 over a picture of this size to its pixels, 0 in the middle of the first. */
const pixelAt = (turn, size) => Math.min(Math.max(f(f(f(turn + 1) * size - 1) / 2), 0), size - 1)

/** The part of the picture that the window samples. */
function neededPart(frame, window) {
  const { across, down } = grid(frame, window)
  const corners = ({ rows, columns }, size) => [rows[0], rows.at(-1)].flatMap((row) =>
    [columns[0], columns.at(-1)].map((column) => pixelAt(row + column, size)))
  const rows = corners(down, frame.rows)
  const columns = corners(across, frame.columns)
  return {
    top: Math.max(0, Math.floor(Math.min(...rows)) - 1),
    left: Math.max(0, Math.floor(Math.min(...columns)) - 1),
    bottom: Math.min(frame.rows, Math.ceil(Math.max(...rows)) + 2),
    right: Math.min(frame.columns, Math.ceil(Math.max(...columns)) + 2),
  }
}

/** The pixels of a part, and how its upright [row, column] is found in them. */
function* sourceOf(picture, frame, wanted, document) {
  const { height, width } = frame
  const { origin, step } = strides(frame)
  const small = height * width <= WHOLE * document.height * document.width
  const part = small ? { top: 0, left: 0, bottom: height, right: width } : asStored(wanted, origin, step)
  const key = [height, width, ...Object.values(part)].join()
  const pixels = picture.kept.get(key) ??
    (yield* shrunk({ ...picture, data: yield picture }, height, width, part))
  picture.kept.set(key, pixels)
  const line = part.right - part.left
  return {
    pixels,
    base: 4 * ((origin[0] - part.top) * line + origin[1] - part.left),
    down: 4 * (step[0][0] * line + step[1][0]),
    along: 4 * (step[0][1] * line + step[1][1]),
  }
}

/** A part of the upright picture as a part of the picture as it is stored. */
function asStored({ top, left, bottom, right }, origin, step) {
  const [[y0, y1], [x0, x1]] = [0, 1].map((axis) => {
    const at = (row, column) => origin[axis] + row * step[axis][0] + column * step[axis][1]
    return [at(top, left), at(bottom - 1, right - 1)].sort((a, b) => a - b)
  })
  return { top: y0, left: x0, bottom: y1 + 1, right: x1 + 1 }
}

/** Of upright row and column: where [row, column] of the picture start, and what a step adds. */
function strides({ height, width, quarters, flip }) {
  const [bottom, right] = [height - 1, width - 1]
  const [origin, step] = [
    [[0, 0], [[1, 0], [0, 1]]],
    [[0, right], [[0, 1], [-1, 0]]],
    [[bottom, right], [[-1, 0], [0, -1]]],
    [[bottom, 0], [[0, -1], [1, 0]]],
  ][quarters]
  const turned = [flip === 'vertical' || flip === 'both', flip === 'horizontal' || flip === 'both']
  const last = [bottom, right]
  return {
    origin: origin.map((at, axis) => (turned[axis] ? last[axis] - at : at)),
    step: step.map((by, axis) => (turned[axis] ? by.map((one) => -one) : by)),
  }
}

function copy(frame, window, { pixels, base, down, along }, out) {
  const { top, left } = straightPart(window)
  for (let y = 0, o = 0; y < window.height; y += 1) {
    for (let x = 0; x < window.width; x += 1, o += 4) {
      const i = base + (top + y) * down + (left + x) * along
      for (let c = 0; c < 4; c += 1) out[o + c] = pixels[i + c]
    }
  }
}

/** Bilinear samples, each weighted with the share of the pixel that the box covers. */
function sample(frame, window, { pixels, base, down, along }, out) {
  const turned = grid(frame, window)
  const [halfWide, halfTall] = [frame.wide / 2, frame.tall / 2]
  const [mostWide, mostTall] = [Math.min(1, frame.wide), Math.min(1, frame.tall)]
  for (let y = 0, o = 0; y < window.height; y += 1) {
    for (let x = 0; x < window.width; x += 1, o += 4) {
      const across = f(turned.across.columns[x] + turned.across.rows[y])
      const beyond = 0.5 + halfWide - Math.abs(across) * halfWide
      if (beyond <= 0) continue
      const vertical = f(turned.down.columns[x] + turned.down.rows[y])
      const below = 0.5 + halfTall - Math.abs(vertical) * halfTall
      if (below <= 0) continue
      const covered = Math.min(beyond, mostWide) * Math.min(below, mostTall)
      const row = pixelAt(vertical, frame.rows)
      const column = pixelAt(across, frame.columns)
      const [r, c] = [Math.floor(row), Math.floor(column)]
      const [low, far] = [row - r, column - c]
      const i = base + r * down + c * along
      const beside = c < frame.columns - 1 ? along : 0
      const under = r < frame.rows - 1 ? down : 0
      for (let k = 0; k < 4; k += 1) {
        const upper = pixels[i + k] * (1 - far) + pixels[i + k + beside] * far
        const lower = pixels[i + k + under] * (1 - far) + pixels[i + k + under + beside] * far
        out[o + k] = Math.min(1, (upper * (1 - low) + lower * low) * covered)
      }
    }
  }
}

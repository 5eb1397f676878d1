// Cut-outs: from a picture in straight RGBA to a new one. The given one is never changed.
import { VISIBLE_ALPHA } from './hits.mjs'
import { box, scaleOf } from './placement.mjs'

const LINES = 4 // of samples in a row of pixels, along the edge of a polygon
const copyOf = ({ width, height, data }) => ({ width, height, data: data.slice() })

/**
 * Without the rows and columns at the edges in which nothing can be seen.
 * @param {{width: number, height: number, data: Uint8Array}} picture
 * @returns {{left: number, top: number, picture: object} | null} where the rest lay; null if nothing
 *   can be seen at all
 */
export function trim({ width, height, data }) {
  let [left, top, right, bottom] = [width, height, -1, -1]
  for (let y = 0, i = 3; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, i += 4) {
      if (data[i] < VISIBLE_ALPHA) continue
      if (x < left) left = x
      if (x > right) right = x
      if (y < top) top = y
      bottom = y
    }
  }
  if (bottom < 0) return null
  const [wide, high] = [right - left + 1, bottom - top + 1]
  const out = new Uint8Array(4 * wide * high)
  for (let y = 0; y < high; y += 1) {
    const start = 4 * ((top + y) * width + left)
    out.set(data.subarray(start, start + 4 * wide), 4 * y * wide)
  }
  return { left, top, picture: { width: wide, height: high, data: out } }
}

/**
 * The fields of a layer with which a trimmed picture lies where its pixels lay before.
 * @param {object} document
 * @param {object} layer
 * @param {number[]} size [width, height] of the picture before
 * @param {{left: number, top: number, picture: object}} trimmed
 */
export function placeOfTrimmed(document, layer, size, { left, top, picture }) {
  const [a, b, c, d, e, f] = box(document, layer, size).matrix
  const [x, y] = [left + picture.width / 2, top + picture.height / 2]
  const now = [picture.width, picture.height]
  return {
    size: now,
    x: (a * x + c * y + e) / document.width,
    y: (b * x + d * y + f) / document.height,
    scale: scaleOf(document, layer, size) / scaleOf(document, { ...layer, scale: 1 }, now),
  }
}

/**
 * Without the ground of one colour around an object: what is connected to the edges of the picture
 * and differs from their colour by no more than the tolerance, from 0 to 1. The object gets an edge
 * that is one pixel soft.
 */
export function plainGround(picture, tolerance) {
  const { width, height, data } = picture
  const ground = flooded(picture, edgeColour(picture), tolerance * 255)
  const out = copyOf(picture)
  for (let y = 0, i = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, i += 1) {
      if (ground[i]) out.data[4 * i + 3] = 0
      else {
        const share = shareAround(ground, x, y, width, height)
        if (share) out.data[4 * i + 3] = Math.round(data[4 * i + 3] * (1 - share))
      }
    }
  }
  return out
}

/** The middle value of each channel along the edges, of what can be seen there. */
function edgeColour({ width, height, data }) {
  const edge = []
  for (let x = 0; x < width; x += 1) edge.push(x, (height - 1) * width + x)
  for (let y = 1; y < height - 1; y += 1) edge.push(y * width, y * width + width - 1)
  const seen = edge.filter((i) => data[4 * i + 3] >= VISIBLE_ALPHA)
  return [0, 1, 2].map((channel) => {
    const values = seen.map((i) => data[4 * i + channel]).sort((a, b) => a - b)
    return values[values.length >> 1] ?? 0
  })
}

/** 1 for every pixel that is like the colour, or clear, and connected to the edges. */
function flooded({ width, height, data }, [red, green, blue], most) {
  const ground = new Uint8Array(width * height)
  const open = []
  const visit = (i) => {
    if (ground[i]) return
    const away = (channel, value) => Math.abs(data[4 * i + channel] - value)
    const like = away(0, red) <= most && away(1, green) <= most && away(2, blue) <= most
    if (!like && data[4 * i + 3] >= VISIBLE_ALPHA) return
    ground[i] = 1
    open.push(i)
  }
  for (let x = 0; x < width; x += 1) [x, (height - 1) * width + x].forEach(visit)
  for (let y = 0; y < height; y += 1) [y * width, y * width + width - 1].forEach(visit)
  while (open.length) {
    const i = open.pop()
    const x = i % width
    if (x > 0) visit(i - 1)
    if (x < width - 1) visit(i + 1)
    if (i >= width) visit(i - width)
    if (i < width * (height - 1)) visit(i + width)
  }
  return ground
}

/** Which part of a pixel's eight neighbours is ground; what lies outside of the picture is none. */
function shareAround(ground, x, y, width, height) {
  let count = 0
  for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row += 1) {
    for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column += 1) {
      count += ground[row * width + column]
    }
  }
  return count / 9
}

/**
 * What lies inside a polygon of points [x, y] in pixels, or outside of it where `keep` is false. Its
 * lines are one pixel soft; where they cross, the number of lines around a place decides (even-odd).
 */
export function polygon(picture, points, keep = true) {
  const out = copyOf(picture)
  const inside = new Float32Array(picture.width)
  for (let y = 0; y < picture.height; y += 1) {
    inside.fill(0)
    for (let k = 0; k < LINES; k += 1) addSpans(inside, crossings(points, y + (k + 0.5) / LINES))
    for (let x = 0, i = 4 * y * picture.width + 3; x < picture.width; x += 1, i += 4) {
      out.data[i] = Math.round(out.data[i] * (keep ? inside[x] : 1 - inside[x]))
    }
  }
  return out
}

/** Where a horizontal line crosses the sides of a polygon, from left to right. */
function crossings(points, y) {
  return points.flatMap(([x1, y1], i) => {
    const [x2, y2] = points[(i + 1) % points.length]
    return (y1 <= y) === (y2 <= y) ? [] : [x1 + ((y - y1) * (x2 - x1)) / (y2 - y1)]
  }).sort((a, b) => a - b)
}

/** Adds the share of each pixel that lies between two crossings, for one of the lines of a row. */
function addSpans(row, found) {
  for (let k = 0; k + 1 < found.length; k += 2) {
    const [from, to] = [Math.max(0, found[k]), Math.min(row.length, found[k + 1])]
    for (let x = Math.floor(from); x < to; x += 1) {
      row[x] += (Math.min(to, x + 1) - Math.max(from, x)) / LINES
    }
  }
}

// Cut-outs: from a picture in straight RGBA to a new one. The given one is never changed.
import { VISIBLE_ALPHA } from './hits.mjs'

const LINES = 4 // of samples in a row of pixels, along the edge of a polygon
const [LIKE, REACHED] = [1, 2] // marks of a pixel while the ground is searched
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
 * Without the ground of one colour around an object: what is connected to the edges of the picture
 * and differs from their colour by no more than the tolerance, from 0 to 1. The object gets an edge
 * that is one pixel soft.
 */
export function plainGround(picture, tolerance) {
  const { width, height } = picture
  const ground = flooded(picture, edgeColour(picture), tolerance * 255)
  const out = copyOf(picture)
  const sums = new Uint8Array(width + 2) // of the columns of three rows, with one at either side
  for (let y = 0, i = 0; y < height; y += 1) {
    countGround(sums, ground, y, width)
    for (let x = 0; x < width; x += 1, i += 1) {
      const at = 4 * i + 3
      const count = sums[x] + sums[x + 1] + sums[x + 2]
      if (ground[i]) out.data[at] = 0
      else if (count) out.data[at] = Math.round(out.data[at] * (1 - count / 9))
    }
  }
  return out
}

/** How much ground is in each column of a row and its two neighbours; outside of the picture is none. */
function countGround(sums, ground, y, width) {
  sums.fill(0)
  const rows = [y - 1, y, y + 1].map((row) => row * width).filter((i) => i >= 0 && i < ground.length)
  for (const row of rows) {
    for (let x = 0; x < width; x += 1) sums[x + 1] += ground[row + x]
  }
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
function flooded(picture, colour, most) {
  const { width, height } = picture
  const ground = alike(picture, colour, most)
  const open = [] // where runs of ground begin that are not filled yet
  for (let x = 0; x < width; x += 1) open.push(x, (height - 1) * width + x)
  for (let y = 1; y < height - 1; y += 1) open.push(y * width, y * width + width - 1)
  while (open.length) fillRun(ground, open, open.pop(), width)
  for (let i = 0; i < ground.length; i += 1) ground[i] = ground[i] === REACHED ? 1 : 0
  return ground
}

/** LIKE for every pixel that is like the colour, or clear. */
function alike({ width, height, data }, [red, green, blue], most) {
  const found = new Uint8Array(width * height)
  for (let i = 0, at = 0; i < found.length; i += 1, at += 4) {
    const like = Math.abs(data[at] - red) <= most && Math.abs(data[at + 1] - green) <= most &&
      Math.abs(data[at + 2] - blue) <= most
    if (like || data[at + 3] < VISIBLE_ALPHA) found[i] = LIKE
  }
  return found
}

/** Fills the run of a row around a pixel, and adds the runs above and below that touch it. */
function fillRun(ground, open, start, width) {
  if (ground[start] !== LIKE) return
  const row = start - (start % width)
  let [from, to] = [start, start]
  while (from > row && ground[from - 1] === LIKE) from -= 1
  while (to < row + width - 1 && ground[to + 1] === LIKE) to += 1
  ground.fill(REACHED, from, to + 1)
  for (const away of [-width, width]) {
    for (let i = from + away; i <= to + away; i += 1) {
      if (ground[i] === LIKE && (i === from + away || ground[i - 1] !== LIKE)) open.push(i)
    }
  }
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

// Where a cut-out lies: on the canvas as its picture lay, and in the picture that it was cut from.
import { setLayer } from './edits.mjs'
import { VISIBLE_ALPHA } from './hits.mjs'
import { box, scaleOf } from './placement.mjs'
import { FITS, RANGES } from './rules.mjs'

const CLOSE = 0.05 // canvas pixels that a rounded scale may move an edge
const PROBES = 16 // colours a side by which a cut-out is found in its original

/**
 * The fields of a layer whose picture is another window of the same pixels: they lie where they lay.
 * @param {object} document
 * @param {object} layer
 * @param {number[]} size [width, height] of the picture before
 * @param {{left: number, top: number, picture: {width: number, height: number}}} window in pixels of
 *   the picture before, which it may leave
 */
export function placeOfWindow(document, layer, size, { left, top, picture }) {
  const [a, b, c, d, e, f] = box(document, layer, size).matrix
  const [x, y] = [left + picture.width / 2, top + picture.height / 2]
  const now = [picture.width, picture.height]
  return {
    size: now,
    x: (a * x + c * y + e) / document.width,
    y: (b * x + d * y + f) / document.height,
    ...scaleOfWindow(document, layer, scaleOf(document, layer, size), now),
  }
}

/** Scale and fit that give so many canvas pixels for a pixel; a document keeps 4 decimals of a scale. */
function scaleOfWindow(document, layer, wanted, size) {
  const [low, high] = RANGES.scale
  const found = [layer.fit, ...FITS].map((fit) => {
    const scale = wanted / scaleOf(document, { ...layer, fit, scale: 1 }, size)
    const off = (Math.abs(Number(scale.toFixed(4)) / scale - 1) * wanted * Math.max(...size)) / 2
    return { fit, scale, off: scale < low || scale > high ? Infinity : off }
  })
  const [kept] = found
  const { fit, scale } = kept.off <= CLOSE ? kept : found.reduce((a, b) => (b.off < a.off ? b : a))
  return { fit, scale }
}

/**
 * The document with a cut-out in place of a layer's picture; the very first one is kept in `from`.
 * @param {object} document
 * @param {string} id
 * @param {string} before the picture that was cut; a layer that has another one by now stays as it is
 * @param {{picture: string, from: string, size: number[], window: object}} cut size: of the picture before
 */
export function withCut(document, id, before, { picture, from, size, window }) {
  const layer = document.layers.find((one) => one.id === id)
  if (layer?.picture !== before) return document
  return setLayer(document, id, { picture, from, ...placeOfWindow(document, layer, size, window) })
}

/**
 * Where a cut-out lies in the picture that it was cut from: the same colours are looked for.
 * @returns {{left: number, top: number} | null}
 */
export function findWindow(original, cut) {
  const probes = probesOf(cut, original.width)
  if (!probes.length) return null
  const pixels = original.data
  for (let top = 0; top <= original.height - cut.height; top += 1) {
    for (let left = 0; left <= original.width - cut.width; left += 1) {
      const start = 4 * (top * original.width + left)
      if (probes.every(({ at, colour }) => near(pixels, start + at, colour))) return { left, top }
    }
  }
  return null
}

/** Colours of a cut-out on a grid of 16 x 16, and how far from its start they are in a picture so wide. */
function probesOf({ width, height, data }, line) {
  const probes = []
  for (let k = 0; k < PROBES * PROBES; k += 1) {
    const x = Math.floor(((k % PROBES) + 0.5) * (width / PROBES))
    const y = Math.floor((Math.floor(k / PROBES) + 0.5) * (height / PROBES))
    const i = 4 * (y * width + x)
    if (data[i + 3] >= VISIBLE_ALPHA) probes.push({ at: 4 * (y * line + x), colour: data.slice(i, i + 3) })
  }
  return probes
}

/** Decoders of JPEG files differ by a step or two. */
const near = (data, at, colour) =>
  Math.abs(data[at] - colour[0]) <= 2 &&
  Math.abs(data[at + 1] - colour[1]) <= 2 &&
  Math.abs(data[at + 2] - colour[2]) <= 2

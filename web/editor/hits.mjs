// Which layer lies under a point of the canvas, by what can be seen of it and not by its box.
import { box, sizeOf } from './placement.mjs'

export const VISIBLE_ALPHA = 2 // of 255, and above; less is nothing

/**
 * The pixel of the picture under a point of the canvas, as [x, y] from 0 to its size; null outside.
 * @param {object} place what `box` says of the layer
 * @param {number[]} size width and height of the picture
 */
export function inside({ matrix: [a, b, c, d, e, f] }, [width, height], x, y) {
  const area = a * d - b * c
  const [dx, dy] = [x - e, y - f]
  const across = (d * dx - c * dy) / area
  const down = (a * dy - b * dx) / area
  return across >= 0 && down >= 0 && across < width && down < height ? [across, down] : null
}

/**
 * The id of the topmost layer that can be seen at a point of the canvas, in its pixels, or null.
 * below: only layers under the one of this id. A layer whose picture has not arrived counts as a box.
 * @param {object} document
 * @param {{get: function}} pictures
 * @returns {string | null}
 */
export function layerAt(document, pictures, x, y, { below } = {}) {
  const { layers } = document
  const above = below === undefined ? -1 : layers.findIndex((layer) => layer.id === below)
  const under = above < 0 ? layers : layers.slice(0, above)
  const seen = (layer) => layer.visible && layer.opacity > 0 && isHit(document, layer, pictures, x, y)
  return under.findLast(seen)?.id ?? null
}

/** Whether a layer can be seen in all corners of the canvas and in its middle: a photo behind all else. */
export function coversCanvas(document, layer, pictures) {
  const { width, height } = document
  const ends = (side) => [0.5, side - 0.5]
  const corners = ends(width).flatMap((x) => ends(height).map((y) => [x, y]))
  return [...corners, [width / 2, height / 2]].every(([x, y]) => isHit(document, layer, pictures, x, y))
}

function isHit(document, layer, pictures, x, y) {
  const picture = pictures.get(layer.picture)
  const size = sizeOf(layer, picture)
  const at = inside(box(document, layer, size), size, x, y)
  if (!at || picture.state !== 'ready') return at !== null
  const alpha = picture.alpha()
  const column = Math.floor((at[0] * alpha.width) / picture.width)
  const row = Math.floor((at[1] * alpha.height) / picture.height)
  return alpha.data[row * alpha.width + column] >= VISIBLE_ALPHA
}

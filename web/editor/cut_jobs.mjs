// Cutting, from the file of a picture to the file of its cut-out: what the worker of the cut-outs does.
import { findWindow } from './cut_place.mjs'
import { plainGround, polygon, trim } from './cutouts.mjs'
import { decode } from './decoding.mjs'
import { encodePng } from './png.mjs'

const PREVIEW_SIDE = 1024 // pixels: enough to see by, and fast enough to follow a slider
const WAYS = {
  trim: (picture) => picture,
  ground: (picture, { tolerance }) => plainGround(picture, tolerance),
  polygon: (picture, { points, keep }) => polygon(picture, points, keep),
}

/** The value for the newest key; the one before it is dropped. */
function remembered(make) {
  let [known, value] = [null, null]
  return (key, ...rest) => {
    if (key !== known) [known, value] = [key, make(...rest)]
    return value
  }
}

/** @returns {Object<string, (request: object) => Promise<object | null>>} by name */
export function createJobs() {
  const whole = remembered(decode)
  const small = remembered(reduced)
  return {
    /** How the picture looks without its ground, at most 1024 pixels a side. */
    async preview({ name, blob, tolerance }) {
      return plainGround(await small(name, blob), tolerance)
    },

    /** {blob, window, same}: a PNG, where it lies, whether it is the picture; null if nothing is left. */
    async cut({ name, blob, way, options }) {
      const picture = await whole(name, blob)
      const found = trim(WAYS[way](picture, options))
      if (!found) return null
      const { left, top, picture: { width, height } } = found
      const same = way === 'trim' && width === picture.width && height === picture.height
      return {
        blob: same ? null : await encodePng(found.picture),
        window: { left, top, picture: { width, height } },
        same,
      }
    },

    /** Where a cut-out lies in its original: {left, top}, or null. */
    async origin({ blob, original }) {
      return findWindow(await decode(original), await decode(blob))
    },
  }
}

/** A picture small enough for a preview; its colours may be a step off where they are half transparent. */
async function reduced(blob) {
  const bitmap = await createImageBitmap(blob)
  const scale = Math.min(1, PREVIEW_SIDE / Math.max(bitmap.width, bitmap.height))
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)))
  const g = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  g.imageSmoothingQuality = 'medium'
  g.drawImage(bitmap, 0, 0, width, height)
  bitmap.close()
  return { width, height, data: g.getImageData(0, 0, width, height).data }
}

// The collage as the node computes it, within 1/255: collage_core/collage/compositing.py in float32.
import { MODES } from './blending.mjs'
import { place } from './placed.mjs'
import { covering } from './resample.mjs'

const MOST_VISIBLE = 2 ** 28 // bytes of visible parts; of larger collages none are given
const f = Math.fround

/**
 * The flattened picture and the visible part of each layer that is shown.
 * @param {object} document
 * @param {(name: string) => {width: number, height: number, kept: Map} | null} find
 *   the picture of a name; null leaves its layers out
 * @returns {Generator<undefined | object, {width: number, height: number, pixels: Uint8ClampedArray,
 *   visible: Object<string, Uint8Array>}>} it yields undefined where the work may be given up, and
 *   a picture where it needs its straight RGBA bytes
 */
export function* compose(document, find) {
  const { width, height } = document
  const layers = document.layers.filter((layer) => layer.visible && find(layer.picture))
  const plain = layers.every((layer) => layer.blend === 'normal')
  const image = new Float32Array(3 * width * height)
  const uncovered = new Float32Array(width * height).fill(1)
  const visible = {}
  const keeps = layers.length * width * height <= MOST_VISIBLE
  for (const layer of layers.toReversed()) {
    const placed = yield* placedLayer(document, layer, find)
    const shown = keeps ? (visible[layer.id] = new Uint8Array(width * height)) : null
    if (placed) under(placed, width, plain ? image : null, uncovered, shown)
    yield
  }
  const background = yield* backgroundOf(document, find)
  if (plain) addBackground(image, background, uncovered)
  else {
    image.set(background.length > 3 ? background : repeated(background, width * height))
    for (const layer of layers) {
      const placed = yield* placedLayer(document, layer, find)
      if (placed) over(placed, width, image, MODES[layer.blend])
      yield
    }
  }
  return { width, height, pixels: bytes(image), visible }
}

const placedLayer = (document, layer, find) => place(find(layer.picture), document, layer)

/** Adds what a layer shows under those above it, and takes it from what is uncovered. */
function under({ top, left, height, width, pixels }, line, image, uncovered, shown) {
  for (let y = 0, i = 0; y < height; y += 1) {
    for (let x = 0, o = (top + y) * line + left; x < width; x += 1, o += 1, i += 4) {
      const free = uncovered[o]
      const alpha = f(pixels[i + 3] * free)
      if (alpha === 0) continue
      uncovered[o] = free - alpha
      if (shown) shown[o] = Math.round(alpha * 255)
      if (!image) continue
      image[3 * o] += pixels[i] * free
      image[3 * o + 1] += pixels[i + 1] * free
      image[3 * o + 2] += pixels[i + 2] * free
    }
  }
}

/** Lays a layer over the picture [height][width][3] below it, in place. */
export function over({ top, left, height, width, pixels }, line, image, mix) {
  for (let y = 0, i = 0; y < height; y += 1) {
    for (let x = 0, o = 3 * ((top + y) * line + left); x < width; x += 1, o += 3, i += 4) {
      const alpha = pixels[i + 3]
      if (alpha === 0) continue
      for (let c = 0; c < 3; c += 1) {
        const below = image[o + c]
        image[o + c] = below + (mix(below, Math.min(1, pixels[i + c] / alpha)) - below) * alpha
      }
    }
  }
}

/** [red, green, blue] of the colour, or that of every pixel. */
function* backgroundOf(document, find) {
  const colour = colourOf(document.background)
  const picture = document.background_picture ? find(document.background_picture) : null
  if (!picture) return colour
  const pixels = yield* covering(picture, document.height, document.width)
  const out = new Float32Array(3 * document.width * document.height)
  for (let i = 0, o = 0; o < out.length; i += 4, o += 3) {
    for (let c = 0; c < 3; c += 1) out[o + c] = pixels[i + c] + colour[c] * (1 - pixels[i + 3])
  }
  return out
}

/** "#rrggbb" or "#rgb" -> [red, green, blue] in [0, 1]. */
export function colourOf(text) {
  const short = text.length === 4
  const parts = [1, 2, 3].map((n) => (short ? text[n] + text[n] : text.slice(2 * n - 1, 2 * n + 1)))
  return parts.map((pair) => f(parseInt(pair, 16) / 255))
}

function addBackground(image, background, uncovered) {
  const whole = background.length > 3
  for (let o = 0, i = 0; o < uncovered.length; o += 1) {
    for (let c = 0; c < 3; c += 1, i += 1) image[i] += background[whole ? i : c] * uncovered[o]
  }
}

function repeated(colour, count) {
  const out = new Float32Array(3 * count)
  for (let i = 0; i < out.length; i += 1) out[i] = colour[i % 3]
  return out
}

/** RGBA, as PreviewImage writes a picture: what is left of 255 times the value is cut off. */
export function bytes(image) {
  const out = new Uint8ClampedArray((image.length / 3) * 4)
  for (let i = 0, o = 0; i < image.length; i += 3, o += 4) {
    for (let c = 0; c < 3; c += 1) out[o + c] = Math.floor(f(Math.min(1, Math.max(0, image[i + c])) * 255))
    out[o + 3] = 255
  }
  return out
}

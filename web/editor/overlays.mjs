// Colours of layers, and what can lie over the canvas: noise and masks, with a legend.
import { element } from './fields.mjs'
import { noiseOf } from './result_edits.mjs'

/** Twelve colours that colour-blind eyes tell apart in this order (Okabe and Ito, Tol). */
export const PALETTE = Object.freeze([
  '#56b4e9',
  '#e69f00',
  '#2bb58a',
  '#cc79a7',
  '#d8c93a',
  '#e0703a',
  '#7f8fe8',
  '#9ab83c',
  '#b06bc4',
  '#3fa9a9',
  '#c9a36b',
  '#e07f8f',
])
// Python's HEAT: from black over purple and orange to pale yellow, each step lighter by as much.
const HEAT = ['000004', '1f0c48', '550f6d', '88226a', 'ba3655', 'e35933', 'f98c0a', 'f9c932', 'fcffa4'].map(
  bytes,
)
const BLUR = 10 // canvas pixels, the sampler's feather unless it is set
const COARSE = 4 // canvas pixels a side that one value of the blurred noise stands for
const NOISE_ALPHA = 0.8
const MASK_ALPHA = 0.6

const places = new WeakMap() // model -> Map of layer ids to places in the palette

/** The colour of a layer, '#rrggbb'; it stays the same while layers change their order. */
export function colourOf(model, id) {
  if (!places.has(model)) places.set(model, new Map())
  const taken = places.get(model)
  if (!taken.has(id)) {
    const { layers } = model.document
    const present = layers.map((layer) => taken.get(layer.id)).filter((place) => place !== undefined)
    taken.set(
      id,
      PALETTE.findIndex((_, place) => !present.includes(place)),
    )
    if (taken.get(id) < 0)
      taken.set(
        id,
        layers.findIndex((layer) => layer.id === id),
      )
  }
  return PALETTE[Math.max(0, taken.get(id)) % PALETTE.length]
}

/**
 * What lies over the picture; draw it stretched over the canvas.
 * @param {object} model
 * @param {{document: object, width: number, height: number, visible: Object<string, Uint8Array>}} composite
 * @param {'plain' | 'noise' | 'masks'} kind
 * @returns {{width: number, height: number, pixels: Uint8ClampedArray} | null}
 */
export function overlayPixels(model, composite, kind) {
  if (kind === 'noise') return noisePixels(composite)
  return kind === 'masks' ? maskPixels(model, composite) : null
}

function maskPixels(model, { document, width, height, visible }) {
  const pixels = new Uint8ClampedArray(width * height * 4)
  const owner = new Uint8Array(width * height) // 1 + the layer that shows most there
  const most = new Uint8Array(width * height)
  document.layers.forEach(({ id }, index) => {
    const alpha = visible[id]
    if (!alpha) return
    for (let i = 0; i < alpha.length; i += 1) {
      if (alpha[i] > most[i]) {
        most[i] = alpha[i]
        owner[i] = index + 1
      }
    }
  })
  const colours = document.layers.map(({ id }) => bytes(colourOf(model, id).slice(1)))
  for (let i = 0; i < owner.length; i += 1) {
    if (!owner[i] || most[i] < 2) continue
    const rim = most[i] > 127 && (differs(i, 1) || differs(i, width) || differs(i, -1) || differs(i, -width))
    pixels.set(colours[owner[i] - 1], i * 4)
    pixels[i * 4 + 3] = rim ? 255 : most[i] * MASK_ALPHA
  }
  function differs(i, by) {
    const j = i + by
    return j >= 0 && j < owner.length && (owner[j] !== owner[i] || most[j] < 128)
  }
  return { width, height, pixels }
}

function noisePixels({ document, width, height, visible }) {
  const w = Math.ceil(width / COARSE)
  const h = Math.ceil(height / COARSE)
  const cover = new Float32Array(w * h) // visible alpha of all layers
  const noise = new Float32Array(w * h) // the same times each layer's noise
  for (const layer of document.layers) {
    if (visible[layer.id]) gather(visible[layer.id], width, noiseOf(document, layer), { cover, noise, w })
  }
  for (const map of [cover, noise]) blur(map, w, h, BLUR / COARSE)
  const pixels = new Uint8ClampedArray(w * h * 4)
  const full = 255 * COARSE * COARSE
  for (let i = 0; i < cover.length; i += 1) {
    const share = Math.min(1, cover[i] / full)
    if (share < 1 / 255) continue
    pixels.set(heat(noise[i] / cover[i]), i * 4)
    pixels[i * 4 + 3] = 255 * share * NOISE_ALPHA
  }
  return { width: w, height: h, pixels }
}

function gather(alpha, width, amount, { cover, noise, w }) {
  for (let i = 0; i < alpha.length; i += 1) {
    if (!alpha[i]) continue
    const cell = Math.floor(i / width / COARSE) * w + Math.floor((i % width) / COARSE)
    cover[cell] += alpha[i]
    noise[cell] += alpha[i] * amount
  }
}

/** Three box blurs along rows and columns: a Gaussian to the eye. */
function blur(map, w, h, sigma) {
  const radius = Math.max(1, Math.round((Math.sqrt(4 * sigma * sigma + 1) - 1) / 2))
  for (let pass = 0; pass < 3; pass += 1) {
    for (let y = 0; y < h; y += 1) blurLine(map, y * w, 1, w, radius)
    for (let x = 0; x < w; x += 1) blurLine(map, x, w, h, radius)
  }
}

function blurLine(map, start, step, length, radius) {
  const line = Float32Array.from({ length }, (_, i) => map[start + i * step])
  const at = (i) => line[Math.min(length - 1, Math.max(0, i))]
  let sum = 0
  for (let i = -radius; i <= radius; i += 1) sum += at(i)
  for (let i = 0; i < length; i += 1) {
    map[start + i * step] = Math.max(0, sum / (2 * radius + 1))
    sum += at(i + radius + 1) - at(i - radius)
  }
}

function heat(value) {
  const place = Math.min(1, Math.max(0, value)) * (HEAT.length - 1)
  const below = Math.min(HEAT.length - 2, Math.floor(place))
  return HEAT[below].map((low, i) => low + (HEAT[below + 1][i] - low) * (place - below))
}

function bytes(letters) {
  return [0, 2, 4].map((at) => parseInt(letters.slice(at, at + 2), 16))
}

/** The legend of the overlay that is shown, for a corner of the canvas. */
export function createLegend({ display, text }) {
  const root = element('div', { class: 'collage-legend', role: 'note', hidden: true })
  const scale = element('span', { class: 'collage-scale' })
  scale.style.background = `linear-gradient(to right, ${HEAT.map((colour) => `rgb(${colour})`).join(', ')})`
  const noise = [
    element('strong', { textContent: text('legend.noise') }),
    element(
      'span',
      { class: 'collage-scale-row' },
      element('span', { textContent: text('legend.keeps') }),
      scale,
      element('span', { textContent: text('legend.invents') }),
    ),
    element('small', { textContent: text('legend.note') }),
  ]
  const masks = [
    element('strong', { textContent: text('legend.masks') }),
    element('small', { textContent: text('legend.colours') }),
  ]
  function show() {
    root.hidden = display.overlay === 'plain'
    if (!root.hidden) root.replaceChildren(...(display.overlay === 'noise' ? noise : masks))
  }
  const end = display.subscribe(show)
  show()
  return { root, destroy: end }
}

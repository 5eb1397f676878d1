// Every change that can be made to a collage, as pure functions: document, ... -> document.
import { LAYER_DEFAULTS, MAX_LAYERS, RANGES, newId } from './document.mjs'
import { CELL, SIDES } from './rules.mjs'
import { withOtherWords, withWords, withoutWords } from './sentence.mjs'

const STEP_ASIDE = 24 // canvas pixels from a layer to its copy

const clamp = (value, [low, high]) => Math.min(high, Math.max(low, value))
const rounded = (value) => Number(value.toFixed(4))

/** The fields with every number inside its range and at most 4 decimals. */
function fitting(fields) {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => {
    const range = RANGES[name]
    return [name, range && Number.isFinite(value) ? rounded(clamp(value, range)) : value]
  }))
}

const withLayers = (document, layers) => ({ ...document, layers })

/** change(layer) -> fields, for every layer of these ids. */
function changed(document, ids, change) {
  const wanted = new Set(ids)
  return withLayers(document, document.layers.map((layer) =>
    wanted.has(layer.id) ? { ...layer, ...fitting(change(layer)) } : layer))
}

/** The same for layers that are not locked: their place stays. */
function moved(document, ids, change) {
  return changed(document, unlocked(document, ids), change)
}

/** Those of these layers that are not locked. */
export function unlocked(document, ids) {
  return document.layers.filter((layer) => ids.includes(layer.id) && !layer.locked).map((layer) => layer.id)
}

/**
 * One more layer, on top or at an index; its words are appended to the prompt. A collage that is
 * full stays as it is. Fields are those of a layer; an id is made where there is none.
 */
export function addLayer(document, fields, index = document.layers.length) {
  if (document.layers.length >= MAX_LAYERS) return document
  const layer = { id: newId(document), ...LAYER_DEFAULTS, fit: 'contain', scale: 0.5, ...fitting(fields) }
  const prompt = withWords(document.prompt, document.layers, layer)
  return { ...document, prompt, layers: document.layers.toSpliced(index, 0, layer) }
}

/** Without these layers and without their words, but for words that another layer has too. */
export function removeLayers(document, ids) {
  return withKnownEdit(unlocked(document, ids).reduce((rest, id) => ({
    ...rest,
    prompt: withoutWords(rest.prompt, rest.layers, id),
    layers: rest.layers.filter((layer) => layer.id !== id),
  }), document))
}

/** An edit names layers that there are, or that there were before it. */
function withKnownEdit(document) {
  const { edit, layers } = document
  if (!edit) return document
  const known = [...layers, ...(edit.before?.layers ?? [])].map((layer) => layer.id)
  return { ...document, edit: { ...edit, layers: edit.layers.filter((id) => known.includes(id)) } }
}

/** A copy of each layer directly above it, a little aside; `newIds` name the copies, bottom to top. */
export function duplicateLayers(document, ids, { dx = STEP_ASIDE, dy = STEP_ASIDE, newIds = [] } = {}) {
  const left = [...newIds]
  return document.layers.filter((layer) => ids.includes(layer.id)).reduce((rest, layer) => {
    if (rest.layers.length >= MAX_LAYERS) return rest
    const place = fitting({ x: layer.x + dx / rest.width, y: layer.y + dy / rest.height })
    const copy = { ...layer, ...place, id: left.shift() ?? newId(rest), locked: false }
    const above = rest.layers.findIndex((one) => one.id === layer.id) + 1
    return withLayers(rest, rest.layers.toSpliced(above, 0, copy))
  }, document)
}

/** Moved by canvas pixels. */
export function moveBy(document, ids, dx, dy) {
  return moved(document, ids, ({ x, y }) => ({ x: x + dx / document.width, y: y + dy / document.height }))
}

/** The centre of one layer at a point of the canvas, in its pixels. */
export function placeAt(document, id, x, y) {
  return moved(document, [id], () => ({ x: x / document.width, y: y / document.height }))
}

export function scaleBy(document, ids, factor) {
  return moved(document, ids, ({ scale }) => ({ scale: scale * factor }))
}

/** Turned counter-clockwise; the angle stays within a turn, from -180 to 180. */
export function turnBy(document, ids, degrees) {
  return moved(document, ids, ({ rotation }) => ({ rotation: upright(rotation + degrees) }))
}

function upright(degrees) {
  const turned = ((degrees % 360) + 360) % 360
  return turned > 180 ? turned - 360 : turned
}

/** Mirrored in the layer's own frame, before it is turned. */
export function flip(document, ids, way) {
  const other = way === 'horizontal' ? 'vertical' : 'horizontal'
  const next = { none: way, [way]: 'none', [other]: 'both', both: other }
  return moved(document, ids, (layer) => ({ flip: next[layer.flip] }))
}

/** As large as fits on the canvas, in its middle. */
export function fit(document, ids) {
  return moved(document, ids, () => ({ fit: 'contain', scale: 1, x: 0.5, y: 0.5 }))
}

export function centre(document, ids) {
  return moved(document, ids, () => ({ x: 0.5, y: 0.5 }))
}

/** way: 'up', 'down', 'top', 'bottom', or the index that the lowest of them is to have. */
export function reorder(document, ids, way) {
  const wanted = new Set(ids)
  const { layers } = document
  const taken = layers.filter((layer) => wanted.has(layer.id))
  const rest = layers.filter((layer) => !wanted.has(layer.id))
  if (!taken.length) return document
  if (way === 'up' || way === 'down') return withLayers(document, stepped(layers, wanted, way))
  const at = way === 'top' ? rest.length : way === 'bottom' ? 0 : clamp(way, [0, rest.length])
  return withLayers(document, rest.toSpliced(at, 0, ...taken))
}

/** Each of these layers changes places with the next one that is not among them. */
function stepped(layers, wanted, way) {
  const order = way === 'up' ? layers.toReversed() : [...layers]
  for (let i = 1; i < order.length; i += 1) {
    const [before, one] = [order[i - 1], order[i]]
    if (wanted.has(one.id) && !wanted.has(before.id)) order.splice(i - 1, 2, one, before)
  }
  return way === 'up' ? order.reverse() : order
}

/** Fields of one layer, clamped; its words are set by `setWords`. */
export function setLayer(document, id, fields) {
  return changed(document, [id], () => fields)
}

/** Fields of the canvas: width and height become multiples of 8 in their range. */
export function setCanvas(document, fields) {
  const sides = ['width', 'height'].filter((name) => Number.isFinite(fields[name])).map((name) =>
    [name, clamp(Math.round(fields[name] / CELL) * CELL, SIDES)])
  return { ...document, ...fields, ...Object.fromEntries(sides) }
}

export function setPrompt(document, prompt) {
  return { ...document, prompt }
}

/** Other words for a layer, in the prompt too. */
export function setWords(document, id, text) {
  const prompt = withOtherWords(document.prompt, document.layers, id, text)
  return { ...changed(document, [id], () => ({ text })), prompt }
}

/** The prompt with a layer's words, where they do not stand in it. */
export function addWords(document, id) {
  const layer = document.layers.find((one) => one.id === id)
  const others = document.layers.filter((one) => one !== layer)
  return { ...document, prompt: withWords(document.prompt, others, layer) }
}

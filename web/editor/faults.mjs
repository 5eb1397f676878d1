// What is wrong with a collage before any run, each with the change that mends it.
import { addWords, centre, reorder, setCanvas, setLayer } from './edits.mjs'
import { marksIn, nameOf } from './marks.mjs'
import { bounds, box } from './placement.mjs'
import { endEdit, leftBehind, toggleEdited } from './result_edits.mjs'
import { CELL } from './rules.mjs'

const OF_A_SIDE = /^Document: (width|height) is /

/**
 * @typedef {object} Fault
 * @property {string} kind a message is text(`message.${kind}`), its button text(`message.${kind}Mend`)
 * @property {'error' | 'warning'} weight an error is refused when the workflow is queued
 * @property {object} values of the message
 * @property {string} [id] the layer it is about
 * @property {function} [mend] document -> document
 * @property {'picture' | 'words'} [ask] what the user is asked for instead
 */

/**
 * @param {object} context model, pictures, live, text and host
 * @returns {Fault[]} worst first, bottom layer first
 */
export function faultsOf({ model, pictures, live, text, host }) {
  if (model.readable === false)
    return [{ kind: 'unreadable', weight: 'error', values: { problem: model.problems[0] } }]
  const { document } = model
  const shown = document.layers.filter((layer) => layer.visible)
  const picture = live?.current?.()
  const visible = picture?.document === document ? picture.visible : {}
  const of = (layer) => ({
    id: layer.id,
    values: { layer: nameOf(document, layer.id, text), number: document.layers.indexOf(layer) + 1 },
  })
  const { states } = marksIn({ model, host })
  return [
    ...written(model),
    ...baseFaults(document, pictures, host),
    ...editFaults(document, text),
    ...shown.flatMap((layer) => pictureFault(layer, pictures).map((fault) => ({ ...of(layer), ...fault }))),
    ...shown.flatMap((layer) =>
      wordsFault(layer, states.get(layer.id)).map((fault) => ({ ...of(layer), ...fault })),
    ),
    ...shown.flatMap((layer) =>
      placeFault(layer, document, visible).map((fault) => ({ ...of(layer), ...fault })),
    ),
  ]
}

/** Of the finished picture of an edit: it is there, and as large as the canvas, which a stack below may set. */
function baseFaults({ edit, width, height }, pictures, host) {
  if (!edit) return []
  const { state, width: wide, height: high } = pictures.get(edit.picture)
  if (state === 'missing' || state === 'wrong') return [{ kind: 'base', weight: 'error', mend: endEdit }]
  if (state !== 'ready' || host?.links?.has('collage') || (wide === width && high === height)) return []
  const possible = wide % CELL === 0 && high % CELL === 0
  const mend = possible ? (document) => setCanvas(document, { width: wide, height: high }) : undefined
  return [{ kind: 'baseSize', weight: 'error', values: { width, height, wide, high }, mend }]
}

/** Of an edit that would change nothing, or less than what the canvas shows. */
function editFaults(document, text) {
  const { edit, layers } = document
  if (!edit) return []
  const left = leftBehind(document)
  const nothing = !edit.background && !edit.layers.length
  const top = layers.findLast((layer) => layer.visible)?.id
  if (nothing && !left.length && top) {
    const values = { layer: nameOf(document, top, text) }
    return [{ kind: 'still', weight: 'error', values, mend: (next) => toggleEdited(next, top) }]
  }
  const before = { layers: [...layers, ...(edit.before?.layers ?? [])] }
  const has = (some, id) => some.some((layer) => layer.id === id && layer.visible)
  return left.map((id) => ({
    kind: !has(edit.before.layers, id) ? 'leftOut' : has(layers, id) ? 'left' : 'leftIn',
    weight: nothing ? 'error' : 'warning',
    id,
    values: { layer: nameOf(before, id, text) },
    mend: (next) => toggleEdited(next, id),
  }))
}

/** Of what stands in the widget and was not taken. */
function written({ text, problems }) {
  if (!problems.length) return []
  const { width = 512, height = 512 } = JSON.parse(text)
  const sides = [width, height]
  const odd = sides.every(Number.isInteger) && sides.some((side) => side % CELL)
  const [wide, high] = sides.map((side) => Math.max(CELL, Math.round(side / CELL) * CELL))
  const mend = (document) => setCanvas(document, { width: wide, height: high })
  const side = { kind: 'side', weight: 'error', values: { width, height, wide, high }, mend }
  // the mend writes the document, with defaults for all else that was not taken: that is told first
  const others = problems.filter((problem) => !odd || !OF_A_SIDE.test(problem))
  const told = others.map((problem) => ({ kind: 'problem', weight: 'error', values: { problem } }))
  return odd ? [...told, side] : told
}

function pictureFault({ picture }, pictures) {
  const { state } = pictures.get(picture)
  if (state !== 'missing' && state !== 'wrong') return []
  return [{ kind: state === 'missing' ? 'picture' : 'pictureWrong', weight: 'error', ask: 'picture' }]
}

function wordsFault({ id }, state) {
  if (state === 'empty') return [{ kind: 'empty', weight: 'error', ask: 'words' }]
  if (state === 'missing')
    return [{ kind: 'missing', weight: 'error', mend: (document) => addWords(document, id) }]
  return state === 'crossing' ? [{ kind: 'crossing', weight: 'error', ask: 'words' }] : []
}

function placeFault(layer, document, visible) {
  const { id } = layer
  if (layer.opacity === 0)
    return [{ kind: 'transparent', weight: 'warning', mend: (next) => setLayer(next, id, { opacity: 1 }) }]
  if (isOutside(document, layer))
    return [{ kind: 'outside', weight: 'warning', mend: (next) => centre(next, [id]) }]
  const alpha = visible[id]
  if (!alpha || isSeen(alpha) || document.layers.at(-1) === layer) return []
  return [{ kind: 'covered', weight: 'warning', mend: (next) => reorder(next, [id], 'top') }]
}

/** A loop, since the pixels are many: of a large picture `some` takes ten times as long. */
function isSeen(alpha) {
  for (let i = 0; i < alpha.length; i += 1) if (alpha[i] > 1) return true
  return false
}

/** Whether the upright box around the layer touches the canvas nowhere. */
function isOutside(document, layer) {
  const { left, top, right, bottom } = bounds(box(document, layer, layer.size))
  return right <= 0 || left >= document.width || bottom <= 0 || top >= document.height
}

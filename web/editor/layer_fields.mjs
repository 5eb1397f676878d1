// The fields for one layer's settings, and how each stands in the document.
import { choice } from './choices.mjs'
import { numberField, slider, wordsField } from './fields.mjs'
import { setLayer, unlocked } from './edits.mjs'
import { noiseOf } from './result_edits.mjs'
import { BLENDS, FITS, RANGES } from './rules.mjs'

// where the slider ends; its field goes on to the end of the range
const SLIDERS = { noise: 1, attract: 2, repel: 2, control: 2, opacity: 1 }
const SLIDER_STEP = 0.01
const NOISE_WORDS = [
  [0.001, 'keeps'],
  [0.15, 'touches'],
  [0.35, 'adapts'],
  [0.65, 'repaints'],
  [0.95, 'suggests'],
  [Infinity, 'invents'],
]
// Places are shown in pixels of the canvas and sizes in percent; the document has fractions.
const NUMBERS = {
  x: { unit: 'px', min: -99999, max: 99999, step: 1, decimals: 1 },
  y: { unit: 'px', min: -99999, max: 99999, step: 1, decimals: 1 },
  scale: { unit: '%', min: 0.1, max: 10000, step: 1, decimals: 2 },
  rotation: { unit: '°', min: RANGES.rotation[0], max: RANGES.rotation[1], step: 1, decimals: 2 },
}
export const PLACE = ['x', 'y', 'scale', 'rotation', 'fit'] // what a lock holds
const STEPS = { x: 'move', y: 'move', rotation: 'turn' } // fields whose step has a name already

/**
 * @param {object} context
 * @returns {{sliders: object, others: object}} fields by their names in the document, in order;
 *   each sets the chosen layers, all of them to the same value; see `withValue`
 */
export function createLayerFields(context) {
  const { model, text } = context
  const words = (key) => ({ label: text(key), tip: text(`${key}.tip`) })
  const sets = (name) => {
    const change = (value) => (document) => withValue(document, model.chosen, name, value)
    return {
      onDraft: (value) => model.draft(change(value)),
      onCommit: (value) => context.edit(STEPS[name] ?? name, change(value)),
    }
  }
  const makeSlider = (name, reach) => {
    const [min, max] = RANGES[name]
    const hint = name === 'noise' ? (value) => text(`noise.${noiseWord(value)}`) : null
    return slider({ ...words(name), min, max, reach, step: SLIDER_STEP, hint, ...sets(name) })
  }
  const makeChoice = (name, key, values) =>
    choice({
      ...words(key),
      options: values.map((value) => ({ value, label: text(`${key}.${value}`) })),
      ...sets(name),
    })
  const numbers = map(NUMBERS, (name, options) =>
    numberField({ ...words(name), inside: true, ...options, ...sets(name) }),
  )
  return {
    sliders: map(SLIDERS, makeSlider),
    others: {
      ...numbers,
      fit: makeChoice('fit', 'fitting', FITS),
      blend: makeChoice('blend', 'blend', BLENDS),
      look: makeChoice('look', 'look', []),
      negative: wordsField({ ...words('negative'), ...sets('negative'), refuse: context.refuse }),
    },
  }
}

const map = (object, make) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, make(name, value)]))

const noiseWord = (value) => NOISE_WORDS.find(([below]) => value < below)[1]

/** What a field shows of a layer. */
export function shownValue(name, layer, document) {
  if (name === 'x') return layer.x * document.width
  if (name === 'y') return layer.y * document.height
  if (name === 'noise') return noiseOf(document, layer)
  return name === 'scale' ? layer.scale * 100 : layer[name]
}

/** The document with a field's value in these layers; of locked ones the place stays. */
export function withValue(document, ids, name, value) {
  const free = PLACE.includes(name) ? unlocked(document, ids) : ids
  return free.reduce((next, id) => setLayer(next, id, written(name, value, document)), document)
}

/** What a layer holds of a field's value. */
function written(name, value, { width, height }) {
  if (name === 'x') return { x: value / width }
  if (name === 'y') return { y: value / height }
  return name === 'scale' ? { scale: value / 100 } : { [name]: value }
}

/** Puts the embeddings that there are, and those that layers name, into the field of looks. */
export function fillLooks(field, names, layers, text) {
  const gone = [...new Set(layers.map((layer) => layer.look))].filter((name) => name && !names.includes(name))
  field.fill([
    { value: '', label: text('look.none') },
    ...names.map((name) => ({ value: name, label: name })),
    ...gone.map((name) => ({ value: name, label: text('look.gone', { name }) })),
  ])
}

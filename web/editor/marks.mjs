// Where the words of each layer stand in the sentence, found once for every document.
import { findPhrases } from './words.mjs'

const found = new WeakMap() // documents never change

/**
 * Hidden layers take no part in anything: their words are not looked for.
 * @param {object} document
 * @returns {{places: object[], states: Map<string, 'found' | 'missing' | 'crossing' | 'empty'>}}
 */
export function marksOf(document) {
  if (!found.has(document)) found.set(document, look(document))
  return found.get(document)
}

/**
 * As `marksOf` of what a view shows. Of a sentence that comes over a link nothing is known before the
 * run, but which layers have no words.
 */
export function marksIn({ model: { document }, host }) {
  const marks = marksOf(document)
  if (!isLinked(document, host)) return marks
  return { places: [], states: new Map([...marks.states].filter(([, state]) => state === 'empty')) }
}

/** Whether another node gives the sentence of a run: the one of a stack below counts where there is no other. */
export const isLinked = ({ prompt }, host) =>
  Boolean(host?.links?.has('prompt') || (host?.links?.has('collage') && !prompt.trim()))

function look({ prompt, layers }) {
  const named = layers.filter((layer) => layer.visible && layer.text.trim())
  const { places, missing, crossing } = findPhrases(
    prompt,
    named.map(({ id, text }) => ({ id, text })),
  )
  const states = new Map(layers.filter((layer) => layer.visible).map((layer) => [layer.id, 'empty']))
  for (const { id } of named) states.set(id, 'found')
  for (const id of missing) states.set(id, 'missing')
  for (const { id } of crossing) states.set(id, 'crossing')
  return { places, states }
}

/**
 * A listener of the model that calls show() unless only places and strengths of layers have changed: a
 * drag makes a draft for every frame, and a list or a sentence that is laid out anew each time would halt it.
 */
export function unlessMoved(model, show) {
  let [chosen, document] = [null, null] // as they were shown
  return () => {
    const now = model.document
    if (model.chosen === chosen && document && looksSame(document, now)) return
    chosen = model.chosen
    document = now
    show()
  }
}

const SHOWN = ['id', 'text', 'visible', 'locked', 'picture']

const looksSame = (one, other) =>
  one.prompt === other.prompt &&
  one.layers.length === other.layers.length &&
  one.layers.every((layer, i) => {
    const next = other.layers[i]
    return layer === next || SHOWN.every((name) => layer[name] === next[name])
  })

/** What a layer is called in messages: its words, or its number. */
export function nameOf(document, id, text) {
  const number = document.layers.findIndex((layer) => layer.id === id) + 1
  return document.layers[number - 1]?.text.trim() || text('layer.number', { number })
}

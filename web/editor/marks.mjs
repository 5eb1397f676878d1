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

/** What a layer is called in messages: its words, or its number. */
export function nameOf(document, id, text) {
  const number = document.layers.findIndex((layer) => layer.id === id) + 1
  return document.layers[number - 1]?.text.trim() || text('layer.number', { number })
}

// What tests share: the documents that Python's tests read too, and layers made in a line.
import { readFileSync, readdirSync } from 'node:fs'
import { EMPTY, LAYER_DEFAULTS, frozen } from '../../web/editor/document.mjs'

const DOCUMENTS = new URL('../documents/', import.meta.url)

const text = (name) => readFileSync(new URL(name, DOCUMENTS), 'utf8')
export const json = (name) => JSON.parse(text(name))
export const valid = () =>
  readdirSync(new URL('valid/', DOCUMENTS)).map((name) => [name, text(`valid/${name}`)])

/** A document of layers given as {id: words} or {id: fields}, bottom to top. */
export function documentOf(layers, fields = {}) {
  const made = Object.entries(layers).map(([id, given]) => {
    const own = typeof given === 'string' ? { text: given } : given
    return { id, picture: `${id}.png`, ...LAYER_DEFAULTS, ...own }
  })
  return frozen({ ...EMPTY, ...fields, layers: made })
}

/** What a generator of exact.mjs returns; pictures bring their bytes along. */
export function finished(work) {
  let step = work.next()
  while (!step.done) step = work.next(step.value?.data)
  return step.value
}

/** Numbers in [0, 1) that are the same at every run. */
export function random(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

// The collage document: the text of the widget, read as strictly as Python does, and written.
import {
  BEFORE_FIELDS, DOCUMENT_FIELDS, EDIT_FIELDS, LAYER_FIELDS, MAX_LAYERS, RANGES, VERSION,
  defaultsOf, isObject, quoted, shown,
} from './rules.mjs'

export { MAX_LAYERS, RANGES, VERSION }
export const MAX_BYTES = 256 * 1024
const NO_OBJECT = 'The document is not a JSON object. Copy the whole of it, from { to }.'

/** What a layer's keys are where they are missing: the defaults of CollageLayer. */
export const LAYER_DEFAULTS = defaultsOf(LAYER_FIELDS)

/** The document of an empty widget. */
export const EMPTY = frozen({ ...defaultsOf(DOCUMENT_FIELDS) })

/** The same value with everything in it frozen. */
export function frozen(value) {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.values(value).forEach(frozen)
    Object.freeze(value)
  }
  return value
}

/**
 * Reads the text of a widget; '' is the empty document. A key that is wrong has its default in the
 * document, and a problem that names it in the words of Python. With `readable` false nothing of
 * the text is in the document, so it must not be written over.
 * @param {string} text
 * @returns {{document: object, problems: string[], readable: boolean}}
 */
export function read(text) {
  if (!text.trim()) return { document: EMPTY, problems: [], readable: true }
  const unreadable = (problem) => ({ document: EMPTY, problems: [problem], readable: false })
  if (new TextEncoder().encode(text).length > MAX_BYTES) {
    return unreadable('The document has more than 256 KiB. Remove layers or shorten texts.')
  }
  try {
    const raw = JSON.parse(text)
    const problem = isObject(raw) ? versionProblem(raw) : NO_OBJECT
    return problem ? unreadable(problem) : readDocument(raw)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return unreadable(NO_OBJECT)
    throw error
  }
}

function versionProblem(raw) {
  const { version } = raw
  if (!Number.isInteger(version) || version < 1) {
    return `Document: version is ${'version' in raw ? shown(version) : 'missing'}. Write ${VERSION}.`
  }
  return version === VERSION ? '' : 'This collage was made by a newer version of the pack ' +
    `(document version ${shown(version)}, this one reads ${VERSION}). Update the pack.`
}

function readDocument(raw) {
  const problems = []
  const values = readFields(raw, DOCUMENT_FIELDS, 'Document', problems)
  const readable = values.layers.length <= MAX_LAYERS
  const document = { ...values, layers: readLayers(values.layers, '', problems) }
  if (document.edit) {
    document.edit = readEdit(document.edit, document.layers, problems)
    if (!document.edit) delete document.edit
  }
  return { document: readable ? frozen(document) : EMPTY, problems, readable }
}

/** The keys of a part, defaults where they are missing or wrong, unknown ones as they are. */
function readFields(raw, fields, where, problems) {
  const values = Object.entries(fields).map(([name, one]) => {
    const given = Object.hasOwn(raw, name)
    if (given && one.accepts(raw[name])) return [name, raw[name]]
    if (given || one.required) {
      problems.push(`${where}: ${name} is ${given ? shown(raw[name]) : 'missing'}. ${one.remedy}`)
    }
    return [name, one.default]
  })
  const known = values.filter(([, value]) => value !== undefined && value !== null)
  const unknown = Object.entries(raw).filter(([name]) => !Object.hasOwn(fields, name))
  return Object.fromEntries([...known, ...unknown])
}

/** `when` ends the names of layers in messages. */
function readLayers(raw, when, problems) {
  if (raw.length > MAX_LAYERS) {
    problems.push(`Document: it has ${raw.length} layers${when}. Use at most ${MAX_LAYERS}.`)
    return []
  }
  const layers = []
  const first = new Map() // id -> number of the layer that has it
  for (const [index, one] of raw.entries()) {
    const before = problems.length
    const layer = readLayer(one, index + 1, when, problems)
    if (!layer) continue
    const taken = first.get(layer.id)
    if (taken && problems.length === before) {
      problems.push(`Layer ${index + 1}${when}: id is ${quoted(layer.id)}, as that of layer ${taken}. ` +
        'Give each layer its own.')
    }
    const sound = problems.length === before
    if (sound) first.set(layer.id, index + 1)
    layers.push({ layer, sound })
  }
  for (const { layer } of layers.filter((one) => !one.sound)) {
    if (!layer.id || first.has(layer.id)) layer.id = freeId(first)
    first.set(layer.id, 0)
  }
  return layers.map(({ layer }) => layer)
}

function readLayer(raw, number, when, problems) {
  if (!isObject(raw)) {
    problems.push(`Layer ${number}${when} is ${shown(raw)}. Write an object.`)
    return null
  }
  const words = typeof raw.text === 'string' && raw.text ? ` ${quoted(raw.text)}` : ''
  const fields = readFields(raw, LAYER_FIELDS, `Layer ${number}${words}${when}`, problems)
  return { id: '', picture: '', ...fields }
}

/** The id of a layer that came without one: the same at every reading of the same text. */
function freeId(taken) {
  let number = 1
  while (taken.has(`layer${number}`)) number += 1
  return `layer${number}`
}

/** The edit, or null if anything in it is wrong. */
function readEdit(raw, layers, problems) {
  const before = problems.length
  const edit = readFields(raw, EDIT_FIELDS, 'Edit', problems)
  if (edit.before) {
    const old = readFields(edit.before, BEFORE_FIELDS, 'Before the edit', problems)
    edit.before = { ...old, layers: readLayers(old.layers, ' before the edit', problems) }
  }
  const known = [...layers, ...(edit.before?.layers ?? [])].map((layer) => layer.id)
  const strangers = problems.length ? [] : edit.layers.filter((id) => !known.includes(id))
  problems.push(...strangers.map((id) =>
    `Edit: layers has ${shown(id)}, which is no layer's id. Write ids of layers.`))
  return problems.length === before ? edit : null
}

/** An id that no layer of the document has. */
export function newId(document) {
  const taken = new Set(document.layers.map((layer) => layer.id))
  for (;;) {
    const id = Math.random().toString(36).slice(2, 8).padEnd(4, '0')
    if (!taken.has(id)) return id
  }
}

const rounded = (value) => (typeof value === 'number' ? Number(value.toFixed(4)) : value)

/** The keys of an object in this order, numbers with at most 4 decimals, then its unknown keys. */
function ordered(value, fields) {
  const known = Object.keys(fields).filter((name) => Object.hasOwn(value, name) && value[name] != null)
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(fields, name))
  return Object.fromEntries([
    ...known.map((name) => [name, rounded(value[name])]),
    ...unknown.map((name) => [name, value[name]]),
  ])
}

const withOrderedLayers = (value, fields) =>
  ordered({ ...value, layers: value.layers.map((layer) => ordered(layer, LAYER_FIELDS)) }, fields)

/**
 * The text of a document, for the widget.
 * @param {object} document
 * @returns {string}
 */
export function write(document) {
  const { edit } = document
  if (!edit) return JSON.stringify(withOrderedLayers(document, DOCUMENT_FIELDS))
  const before = edit.before && withOrderedLayers(edit.before, BEFORE_FIELDS)
  const written = { ...document, edit: ordered({ ...edit, before }, EDIT_FIELDS) }
  return JSON.stringify(withOrderedLayers(written, DOCUMENT_FIELDS))
}

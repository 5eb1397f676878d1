// The result of a run as the base of an edit: chosen layers are painted anew in it, all else stays.

const START = { background: false, noise: 0.6, feather: 10 }
const PLACE = ['picture', 'x', 'y', 'scale', 'fit', 'rotation', 'flip'] // as nodes/document_collage.py has it

/**
 * @param {object} document
 * @param {string} picture the result, stored in the input folder
 * @param {string[]} ids layers to paint anew
 * @param {{prompt: string, layers: object[]}} [before] what the picture shows; see `paintedBy`
 */
export function beginEdit(document, picture, ids, before) {
  const kept = document.edit ? pick(document.edit, Object.keys(START)) : START
  return { ...document, edit: { picture, layers: [...ids], ...kept, before } }
}

/**
 * Prompt and layers that the picture of a run shows; layers that its edit left alone are as they were before.
 * @param {object} document of the run
 * @returns {{prompt: string, layers: object[]}}
 */
export function paintedBy({ prompt, layers, edit }) {
  if (!edit?.before) return { prompt, layers }
  const then = edit.before.layers
  const anew = ({ id }) => edit.layers.includes(id)
  const old = ({ id }) => then.find((layer) => layer.id === id)
  const painted = layers.map((layer) => (anew(layer) ? layer : old(layer))).filter(Boolean)
  for (const [i, layer] of then.entries()) {
    if (anew(layer) || layers.some(({ id }) => id === layer.id)) continue // not taken away, or out of the picture, too
    const below = painted.findIndex(({ id }) => id === then[i - 1]?.id)
    painted.splice(below + 1, 0, layer)
  }
  return { prompt, layers: painted }
}

/** Back to the whole collage. */
export function endEdit(document) {
  const { edit, ...rest } = document
  return rest
}

/** Other values of `noise`, `feather` or `background` for the edit. */
export const setEdit = (document, fields) => ({ ...document, edit: { ...document.edit, ...fields } })

/** A layer that was painted anew stays, and the other way round. */
export function toggleEdited(document, id) {
  const { layers } = document.edit
  return setEdit(document, {
    layers: layers.includes(id) ? layers.filter((one) => one !== id) : [...layers, id],
  })
}

/** The noise of a layer in the run: in an edit its own counts for nothing. */
export const noiseOf = ({ edit }, { id, noise }) => (edit ? (edit.layers.includes(id) ? edit.noise : 0) : noise)

/** Layers that were moved, added or taken away since the result was made, and that the edit leaves alone. */
export function leftBehind({ edit, layers }) {
  if (!edit?.before) return []
  const [now, then] = [layers, edit.before.layers].map(shown)
  const ids = new Set([...now.keys(), ...then.keys()])
  return [...ids].filter((id) => !edit.layers.includes(id) && differs(now.get(id), then.get(id)))
}

const shown = (layers) => new Map(layers.filter((layer) => layer.visible).map((layer) => [layer.id, layer]))

const differs = (now, then) => !now || !then || PLACE.some((name) => now[name] !== then[name])

const pick = (object, names) => Object.fromEntries(names.map((name) => [name, object[name]]))

// The collage of a document that goes on from a finished picture, as collage_core/editing/edit.py makes it.
import { MODES } from './blending.mjs'
import { bytes, compose, over } from './exact.mjs'
import { place } from './placed.mjs'

const PLACE = ['picture', 'x', 'y', 'scale', 'fit', 'rotation', 'flip'] // as nodes/document_collage.py has it

/**
 * As `compose`. In an edit the finished picture is the composite. Layers that are painted anew and
 * have changed since lie over it with their own pixels; where they were, `approximate` is true and
 * the collage shows that was behind them: Python makes it look like the picture.
 */
export function* composeDocument(document, find) {
  const { edit, width, height } = document
  const picture = edit && find(edit.picture)
  if (!picture || picture.width !== width || picture.height !== height) return yield* compose(document, find)
  const { visible } = yield* compose(document, find)
  const { pasted, removed } = changes(document)
  const base = coloursOf(yield picture)
  if (removed.size) yield* uncover(base, document, removed, find)
  const image = base.slice()
  for (const layer of shown(document.layers)) {
    const own = find(layer.picture) && (yield* place(find(layer.picture), document, layer))
    if (own && pasted.has(layer.id)) over(own, width, image, MODES[layer.blend])
    else if (own) keep(own, width, image, base)
    yield
  }
  return { width, height, pixels: bytes(image), visible, approximate: removed.size > 0 }
}

const shown = (layers) => layers.filter((layer) => layer.visible)

/** Ids of layers that are pasted over the picture, and of those that leave the place they had. */
export function changes({ layers, edit }) {
  const now = new Map(shown(layers).map((layer) => [layer.id, layer]))
  const then = new Map(shown(edit.before?.layers ?? []).map((layer) => [layer.id, layer]))
  const same = (id) => !edit.before ||
    (then.has(id) && PLACE.every((name) => now.get(id)[name] === then.get(id)[name]))
  const pasted = edit.layers.filter((id) => now.has(id) && !same(id))
  const removed = edit.layers.filter((id) => then.has(id) && (!now.has(id) || !same(id)))
  return { pasted: new Set(pasted), removed: new Set(removed) }
}

function coloursOf(data) {
  const out = new Float32Array((data.length / 4) * 3)
  for (let i = 0, o = 0; i < data.length; i += 4, o += 3) {
    for (let c = 0; c < 3; c += 1) out[o + c] = data[i + c] / 255
  }
  return out
}

/** Where layers were that are gone now, the picture shows what was behind them in the collage. */
function* uncover(base, document, removed, find) {
  const before = { ...document, ...document.edit.before }
  const { visible } = yield* compose(before, find)
  const rest = before.layers.filter((layer) => !removed.has(layer.id))
  const { pixels } = yield* compose({ ...before, layers: rest }, find)
  for (const id of removed) {
    visible[id]?.forEach((alpha, i) => {
      if (alpha) for (let c = 0; c < 3; c += 1) base[3 * i + c] = pixels[4 * i + c] / 255
    })
  }
}

/** A layer that is not pasted: where it lies, the picture is as it was. */
function keep({ top, left, height, width, pixels }, line, image, base) {
  for (let y = 0, i = 3; y < height; y += 1) {
    for (let x = 0, o = 3 * ((top + y) * line + left); x < width; x += 1, o += 3, i += 4) {
      for (let c = o; c < o + 3; c += 1) image[c] += (base[c] - image[c]) * pixels[i]
    }
  }
}

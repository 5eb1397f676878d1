// Cutting out the picture of the chosen layer, in one view: which way is taken, its preview, and the result.
import { withCut } from './cut_place.mjs'
import { createPolygon } from './cut_polygon.mjs'
import { createPreview } from './cut_preview.mjs'
import { createCutter } from './cutter.mjs'

const TOLERANCE = 10 // percent

/**
 * @param {object} context of the view
 * @returns {object} `state` is {open, way, busy, tolerance, keep}; way: '', 'ground' or 'polygon'
 */
export function createCuts(context) {
  const { model, pictures } = context
  const state = { open: false, way: '', busy: false, tolerance: TOLERANCE, keep: true }
  const listeners = new Set()
  const cutter = createCutter()
  const preview = createPreview(context, cutter, () => tell())
  let polygon = null
  let target = null // the layer that `way` is about

  function tell() {
    for (const listener of [...listeners]) listener(state)
  }
  function set(fields) {
    Object.assign(state, fields)
    tell()
  }

  const ready = () => {
    const layer = model.primary
    return layer && pictures.get(layer.picture).state === 'ready' ? layer : null
  }

  function begin(way) {
    target = ready()
    if (!target || state.busy) return
    polygon = null
    preview.end()
    if (way === 'polygon')
      polygon = createPolygon(context, {
        layer: () => model.document.layers.find((one) => one.id === target.id),
        keep: () => state.keep,
        changed: tell,
        close: (points) => apply('polygon', { points, keep: state.keep }),
      })
    set({ open: true, way })
    if (way === 'ground') preview.show(target, state.tolerance / 100)
    else context.focusCanvas()
  }

  function end() {
    polygon = null
    preview.end()
    set({ way: '' })
  }

  function close() {
    end()
    set({ open: false })
    cutter.close()
  }

  /** Work on the picture of the chosen layer; what it throws is told. */
  async function work(what) {
    const layer = ready()
    if (!layer || state.busy) return
    set({ busy: true })
    try {
      await what(layer, pictures.get(layer.picture))
    } catch (error) {
      context.refuse('cut.failed', { reason: error.message ?? String(error) })
    }
    set({ busy: false })
    end()
  }

  const apply = (way, options = {}) =>
    work(async ({ id, picture, from }, { blob, width, height }) => {
      const found = await cutter.ask('cut', { name: picture, blob, way, options })
      if (!found) return context.refuse('cut.nothing')
      if (found.same) return context.refuse('cut.same')
      const name = await context.host.upload(found.blob, 'png')
      await pictures.load(name)
      const cut = { picture: name, from: from || picture, size: [width, height], window: found.window }
      context.edit(way, (document) => withCut(document, id, picture, cut))
      return context.focusCanvas()
    })

  /** The very first picture comes back, its pixels where those of the cut-out lie. */
  const again = () =>
    work(async ({ id, picture, from }, { blob, width, height }) => {
      const original = await pictures.load(from)
      const at = await cutter.ask('origin', { blob, original: original.blob })
      // of another picture only the middle is kept
      const { left, top } = at ?? { left: (original.width - width) / 2, top: (original.height - height) / 2 }
      const window = { left: -left, top: -top, picture: original }
      const cut = { picture: from, from: '', size: [width, height], window }
      context.edit('again', (document) => withCut(document, id, picture, cut))
      return context.focusCanvas()
    })

  const endings = [
    model.subscribe(() => {
      const now = model.document.layers.find((one) => one.id === target?.id)
      const other = now?.picture !== target?.picture || model.primary?.id !== target?.id
      if (state.way && other && !state.busy) end()
    }),
    pictures.subscribe(() => state.open && tell()),
  ]
  return {
    state,
    preview,
    ready,
    begin,
    end,
    close,
    apply,
    again,
    open: () => set({ open: true }),
    finish: () =>
      state.way === 'polygon' ? polygon.finish() : apply('ground', { tolerance: state.tolerance / 100 }),
    set(fields) {
      set(fields)
      if (state.way === 'ground') preview.show(target, state.tolerance / 100)
    },
    polygon: () => polygon,
    points: () => polygon?.count() ?? 0,
    /** Takes a key that means something to a cut; -> whether it was one. */
    key(names) {
      if (!state.open || state.busy) return false
      if (polygon && names.some((name) => polygon.key(name))) return true
      if (state.way === 'ground' && names.includes('Enter')) this.finish()
      else if (!names.includes('Escape')) return false
      else if (state.way) end()
      else close()
      return true
    },
    /** listener(state) -> the function that ends it. */
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    destroy() {
      endings.forEach((one) => one())
      cutter.close()
    },
  }
}

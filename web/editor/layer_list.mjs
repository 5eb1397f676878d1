// The list of layers, topmost first: picture, words with a tick or a cross, eye and lock; order by dragging.
import { reorder, setLayer, setWords } from './edits.mjs'
import { element } from './fields.mjs'
import { createLayerRow } from './layer_row.mjs'
import { nameOf, unlessMoved } from './marks.mjs'
import { createRowDrag } from './row_drag.mjs'

/**
 * A listbox with a roving focus. Its options are checkboxes, since the page takes Ctrl+Z from
 * everything that is no field. Sets `context.rename(id)`.
 * @param {object} context
 * @returns {{root: HTMLElement, destroy: function}}
 */
export function createLayerList(context) {
  const { model, pictures, host, text, say } = context
  const count = element('span', { class: 'collage-count' })
  const list = element('ul', {
    role: 'listbox',
    'aria-multiselectable': 'true',
    'aria-label': text('layers'),
  })
  const none = element('p', { class: 'collage-none', textContent: text('layers.none') })
  const heading = element('h3', { textContent: text('layers') })
  const root = element(
    'section',
    { class: 'collage-layers', 'aria-label': text('layers') },
    element('header', { class: 'collage-heading' }, heading, count),
    none,
    list,
  )
  const rows = new Map()
  let anchor = '' // where a range with Shift begins

  let followed = '' // the layer whose row was last brought into sight

  const shownOrder = () => model.document.layers.map((layer) => layer.id).reverse()

  function choose(id, { add = false, range = false } = {}) {
    if (range && anchor) model.choose([...between(shownOrder(), anchor, id), id])
    else if (add)
      model.choose(
        model.chosen.includes(id) ? model.chosen.filter((one) => one !== id) : [...model.chosen, id],
      )
    else model.choose([id])
    if (!range) anchor = id
    const many = model.chosen.length
    say(
      many > 1 ? 'said.many' : 'said.chosen',
      many > 1 ? { count: many } : { layer: nameOf(model.document, id, text) },
    )
  }

  function toggle(id, field, on, off) {
    const layer = model.document.layers.find((one) => one.id === id)
    const ids = model.chosen.includes(id) ? model.chosen : [id]
    const value = !layer[field]
    context.edit(field, (document) =>
      ids.reduce((next, one) => setLayer(next, one, { [field]: value }), document),
    )
    say(value ? on : off, { layer: nameOf(model.document, id, text) })
  }

  function move(id, index) {
    const ids = model.chosen.includes(id) ? model.chosen : [id]
    context.edit('order', (document) => reorder(document, ids, index))
    const { layers } = model.document
    say('said.moved', {
      layer: nameOf(model.document, id, text),
      number: layers.length - layers.findIndex((one) => one.id === id),
      count: layers.length,
    })
  }

  const parts = {
    choose,
    toggleVisible: (id) => toggle(id, 'visible', 'said.shown', 'said.hidden'),
    toggleLocked: (id) => toggle(id, 'locked', 'said.locked', 'said.unlocked'),
    rename(id, words) {
      context.edit('words', (document) => setWords(document, id, words))
    },
    focus(id) {
      rows.get(id)?.input.focus()
    },
  }

  function onKey(event) {
    const id = event.target.closest('.collage-row')?.dataset.layer
    if (!id || !event.target.matches('.collage-row-input')) return
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    const order = shownOrder()
    if (by && event.altKey) {
      const at = model.document.layers.findIndex((one) => one.id === id) - by
      if (at >= 0 && at < order.length) move(id, at)
      parts.focus(id)
    } else if (by) {
      const next = order[order.indexOf(id) + by]
      if (next) {
        choose(next, { range: event.shiftKey })
        parts.focus(next)
      }
    } else if (event.key === ' ') {
      choose(id, { add: true })
    } else if ((event.key === 'Enter' && !event.ctrlKey && !event.metaKey) || event.key === 'F2') {
      rows.get(id).startRename()
    } else if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') {
      return
    }
    event.preventDefault()
    event.stopPropagation()
  }

  function show() {
    const { layers } = model.document
    const ids = shownOrder()
    for (const [id, row] of rows) {
      if (ids.includes(id)) continue
      row.root.remove()
      rows.delete(id)
    }
    const stop =
      ids.find((id) => rows.get(id)?.input === document.activeElement) ?? model.chosen.at(-1) ?? ids[0]
    ids.forEach((id, index) => {
      if (!rows.has(id)) rows.set(id, createLayerRow(context, id, parts))
      const row = rows.get(id)
      if (list.children[index] !== row.root) list.insertBefore(row.root, list.children[index] ?? null)
      row.show(layers[layers.length - 1 - index], {
        index,
        count: ids.length,
        chosen: model.chosen.includes(id),
        stop: id === stop,
      })
    })
    count.textContent = ids.length || ''
    none.hidden = ids.length > 0
    list.hidden = !ids.length
    if (model.chosen.at(-1) === followed) return
    followed = model.chosen.at(-1)
    rows.get(followed)?.root.scrollIntoView?.({ block: 'nearest' })
  }

  context.rename = (id) => {
    model.choose([id])
    rows.get(id)?.startRename()
  }
  list.addEventListener('keydown', onKey)
  const drag = createRowDrag(list, {
    onDrop: move,
    onStart: (id) => {
      if (!model.chosen.includes(id)) model.choose([id])
    },
  })
  const linked = host.links?.subscribe(show) ?? (() => {})
  const ends = [model.subscribe(unlessMoved(model, show)), pictures.subscribe(show), linked, drag.destroy]
  show()
  return { root, destroy: () => ends.forEach((end) => end()) }
}

/** The ids from one to the other, without the last. */
function between(order, from, to) {
  const [a, b] = [order.indexOf(from), order.indexOf(to)]
  const part = order.slice(Math.min(a, b), Math.max(a, b) + 1)
  return (a < b ? part : part.reverse()).filter((id) => id !== to)
}

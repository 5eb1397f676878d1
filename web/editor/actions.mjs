// Every command of the editor, once: keys, toolbar and menus call the same.
import {
  centre,
  duplicateLayers,
  fit,
  flip,
  moveBy,
  removeLayers,
  reorder,
  scaleBy,
  setLayer,
  turnBy,
  unlocked,
} from './edits.mjs'
import { chooseFiles } from './adding.mjs'
import { saveFile } from './files.mjs'
import { hasRoom, newIds } from './tools.mjs'

const chosen = ({ model }) => model.chosen.length > 0
const movable = ({ model }) => unlocked(model.document, model.chosen).length > 0
const filled = ({ model }) => model.document.layers.length > 0
const always = () => true

/** A change of what is chosen; `keys` as they are shown, the first one in tooltips. */
function edit(name, keys, change, enabled = movable) {
  return {
    keys,
    enabled,
    run: ({ model, edit: step }) => step(name, (document) => change(document, model.chosen)),
  }
}

/** The same for keys that are held: `draft` at every repeat, and one `step` of all of them. */
function glide(name, keys, change) {
  const draft = ({ model }) => model.draft((document) => change(document, model.chosen))
  return { ...edit(name, keys, change), step: name, draft }
}

/** Moves by canvas pixels, 10 times as far with Shift. */
function nudge(key, dx, dy) {
  const by = (times) =>
    glide('move', [times > 1 ? `Shift+${key}` : key], (document, ids) =>
      moveBy(document, ids, dx * times, dy * times),
    )
  return { [`nudge${key.slice(5)}`]: by(1), [`push${key.slice(5)}`]: by(10) }
}

function duplicate(context) {
  const { model, edit: step } = context
  const own = unlocked(model.document, model.chosen)
  if (!hasRoom(context, own.length)) return
  const ids = newIds(model.document, own.length)
  if (step('duplicate', (document) => duplicateLayers(document, own, { newIds: ids }))) model.choose(ids)
}

/** Turns a switch of all chosen layers to what the primary has not. */
function toggled(field) {
  return ({ model, edit: step }) => {
    const value = !model.primary[field]
    step(field, (document) =>
      model.chosen.reduce((rest, id) => setLayer(rest, id, { [field]: value }), document),
    )
  }
}

function undo({ model, say }) {
  const step = model.undoLabel
  if (model.undo()) say('step.undo', { step })
}

function redo({ model, say }) {
  const step = model.redoLabel
  if (model.redo()) say('step.redo', { step })
}

/** The next layer up or down from the primary; past the last one the focus goes on. */
function neighbour({ model }, step) {
  const { layers } = model.document
  const at = layers.findIndex((layer) => layer.id === model.chosen.at(-1))
  return at < 0 ? layers.at(step < 0 ? -1 : 0) : layers[at + step]
}

function step(keys, by) {
  return {
    keys,
    enabled: (context) => Boolean(neighbour(context, by)),
    run: (context) => context.model.choose([neighbour(context, by).id]),
  }
}

function overlay(name, keys) {
  return { keys, enabled: always, run: ({ display }) => display.toggleOverlay(name) }
}

const zoomed =
  (factor) =>
  ({ viewport, model }) => {
    const { width, height } = model.document
    viewport?.zoomAt(viewport.toView([width / 2, height / 2]), factor)
  }

/** name -> {keys, run(context), enabled(context)}, and {draft(context), step} of those that go on while a key is held */
export const ACTIONS = Object.freeze({
  add: { keys: ['Insert'], enabled: always, run: chooseFiles },
  save: { keys: ['S'], enabled: filled, run: (context) => saveFile(context, 'collage') },
  savePsd: { keys: ['Shift+S'], enabled: filled, run: (context) => saveFile(context, 'psd') },
  undo: { keys: ['Ctrl+Z'], enabled: ({ model }) => model.canUndo, run: undo },
  redo: { keys: ['Ctrl+Shift+Z', 'Ctrl+Y'], enabled: ({ model }) => model.canRedo, run: redo },
  duplicate: { keys: ['Ctrl+D'], enabled: movable, run: duplicate },
  remove: edit('remove', ['Delete', 'Backspace'], removeLayers),
  chooseAll: {
    keys: ['Ctrl+A'],
    enabled: always,
    run: ({ model }) => model.choose(model.document.layers.map((layer) => layer.id)),
  },
  chooseNext: step(['Tab'], -1),
  chooseBefore: step(['Shift+Tab'], 1),

  ...nudge('ArrowLeft', -1, 0),
  ...nudge('ArrowRight', 1, 0),
  ...nudge('ArrowUp', 0, -1),
  ...nudge('ArrowDown', 0, 1),
  larger: glide('scale', ['+', '='], (document, ids) => scaleBy(document, ids, 1.02)),
  smaller: glide('scale', ['-'], (document, ids) => scaleBy(document, ids, 1 / 1.02)),
  muchLarger: glide('scale', ['Shift++', '*'], (document, ids) => scaleBy(document, ids, 1.1)),
  muchSmaller: glide('scale', ['Shift+-', '_'], (document, ids) => scaleBy(document, ids, 1 / 1.1)),
  turnLeft: glide('turn', ['['], (document, ids) => turnBy(document, ids, 1)),
  turnRight: glide('turn', [']'], (document, ids) => turnBy(document, ids, -1)),
  turnFarLeft: glide('turn', ['Shift+[', '{'], (document, ids) => turnBy(document, ids, 15)),
  turnFarRight: glide('turn', ['Shift+]', '}'], (document, ids) => turnBy(document, ids, -15)),

  up: edit('order', ['PageUp'], (document, ids) => reorder(document, ids, 'up'), chosen),
  down: edit('order', ['PageDown'], (document, ids) => reorder(document, ids, 'down'), chosen),
  top: edit('order', ['Home'], (document, ids) => reorder(document, ids, 'top'), chosen),
  bottom: edit('order', ['End'], (document, ids) => reorder(document, ids, 'bottom'), chosen),
  hide: { keys: ['H'], enabled: chosen, run: toggled('visible') },
  lock: { keys: ['L'], enabled: chosen, run: toggled('locked') },
  cut: { keys: ['X'], enabled: chosen, run: ({ cuts }) => (cuts.state.open ? cuts.close() : cuts.open()) },
  flipHorizontal: edit('flip', ['F'], (document, ids) => flip(document, ids, 'horizontal')),
  flipVertical: edit('flip', ['Shift+F'], (document, ids) => flip(document, ids, 'vertical')),
  fit: edit('fit', ['0'], fit),
  centre: edit('centre', ['C'], centre),

  plain: { keys: ['P'], enabled: always, run: ({ display }) => display.set({ overlay: 'plain' }) },
  overlayNoise: overlay('noise', ['N']),
  overlayMasks: overlay('masks', ['M']),
  zoomIn: { keys: ['Ctrl++', 'Ctrl+='], enabled: always, run: zoomed(1.25) },
  zoomOut: { keys: ['Ctrl+-'], enabled: always, run: zoomed(1 / 1.25) },
  fitView: {
    keys: ['Ctrl+0'],
    enabled: always,
    run: ({ display }) => display.set({ zoom: 1, pan: Object.freeze([0, 0]) }),
  },
  large: {
    keys: ['Enter'],
    enabled: always,
    run: (context) => (context.large ? context.leave() : context.openLarge()),
  },
  leave: { keys: ['Escape'], enabled: always, run: leave },
})

/** Step by step out: of the gesture, of the choice, of the large view or the editor. */
function leave(context) {
  if (context.cancelGesture?.()) return
  if (context.model.chosen.length) context.model.choose([])
  else context.leave()
}

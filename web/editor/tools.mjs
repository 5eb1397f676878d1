// What a drag does to what was taken: move, scale, turn, pan, split, pinch. Each is {kind, move, end, cancel}.
import { duplicateLayers, moveBy, scaleBy, turnBy, unlocked } from './edits.mjs'
import { MAX_LAYERS, newId } from './document.mjs'
import { boxOf, frameOf } from './layer_frame.mjs'
import { bounds } from './placement.mjs'
import { REACH, around, snap } from './snapping.mjs'

const TURN_STEP = 15 // degrees, with Shift

/** Moves what is chosen. Shift keeps to one axis, Ctrl does not snap, Alt moves copies. */
export function moveTool(context, viewport, from, state) {
  const { model, display, pictures, commit } = context
  const start = model.document
  let base = null
  let ids = unlocked(start, model.chosen)

  function begin(event) {
    base = start
    if (!event.altKey || !ids.length) return
    if (!hasRoom(context, ids.length)) {
      ids = [] // nor are the layers themselves moved
      return
    }
    const copies = newIds(start, ids.length)
    base = duplicateLayers(start, ids, { dx: 0, dy: 0, newIds: copies })
    ids = copies
    model.draft(() => base)
    model.choose(copies)
  }

  function move(place, event) {
    if (!base) begin(event)
    state.moving = new Set(ids)
    let [dx, dy] = [0, 1].map((axis) => (place[axis] - from[axis]) / viewport.scale())
    if (event.shiftKey) [dx, dy] = Math.abs(dx) >= Math.abs(dy) ? [dx, 0] : [0, dy]
    state.lines = []
    if (ids.length && display.snapping && !event.ctrlKey && !event.metaKey) {
      const moved = moveBy(base, ids, dx, dy)
      const boxes = moved.layers
        .filter((layer) => ids.includes(layer.id))
        .map((layer) => boxOf(moved, layer, pictures))
      const snapped = snap(around(boxes.map(bounds)), moved, REACH / viewport.scale())
      const free = { x: !event.shiftKey || dx !== 0, y: !event.shiftKey || dy !== 0 }
      state.lines = snapped.lines.filter(({ axis }) => free[axis])
      if (free.x) dx += snapped.dx
      if (free.y) dy += snapped.dy
    }
    model.draft(() => moveBy(base, ids, dx, dy))
  }

  return { kind: 'move', move, end: () => commit(base === start ? 'move' : 'duplicate'), cancel() {} }
}

/** Whether so many more layers fit into the collage; if not, that is said. */
export function hasRoom({ model, refuse }, count) {
  const fits = model.document.layers.length + count <= MAX_LAYERS
  if (!fits) refuse('adding.full', { count: MAX_LAYERS })
  return fits
}

/** Ids for copies: new in the document, and each another one. */
export function newIds(document, count) {
  const ids = new Set()
  while (ids.size < count) ids.add(newId(document))
  return [...ids]
}

/** Scales what is chosen, each layer about its own centre, as the pointer goes from that of the primary. */
export function scaleTool({ model, pictures, commit }, viewport, from, state, corner) {
  const base = model.document
  const { centre } = frameOf(base, model.primary, pictures, viewport)
  const ids = unlocked(base, model.chosen)
  const away = ([x, y]) => Math.max(1, Math.hypot(x - centre[0], y - centre[1]))
  function move(place) {
    state.moving = new Set(ids)
    model.draft(() => scaleBy(base, ids, away(place) / away(from)))
  }
  return { kind: 'scale', corner, move, end: () => commit('scale'), cancel() {} }
}

/** Turns what is chosen about its own centres; with Shift the primary stands at steps of 15 degrees. */
export function turnTool({ model, pictures, commit }, viewport, from, state) {
  const base = model.document
  const start = model.primary
  const { centre } = frameOf(base, start, pictures, viewport)
  const ids = unlocked(base, model.chosen)
  const angle = ([x, y]) => (Math.atan2(centre[1] - y, x - centre[0]) * 180) / Math.PI
  function move(place, event) {
    state.moving = new Set(ids)
    let degrees = angle(place) - angle(from)
    if (event.shiftKey)
      degrees = Math.round((start.rotation + degrees) / TURN_STEP) * TURN_STEP - start.rotation
    model.draft(() => turnBy(base, ids, degrees))
  }
  return { kind: 'turn', move, end: () => commit('turn'), cancel() {} }
}

/** Moves the view over the canvas. */
export function panTool(viewport, from) {
  let last = from
  function move(place) {
    viewport.panBy(place[0] - last[0], place[1] - last[1])
    last = place
  }
  return { kind: 'pan', move, end() {}, cancel() {} }
}

/** Moves the line between the collage and the result of a run. */
export function splitTool({ model, display }, viewport) {
  const move = (place) => display.set({ split: viewport.toCanvas(place)[0] / model.document.width })
  return { kind: 'split', move, end() {}, cancel() {} }
}

/** Two fingers: the view follows them. */
export function pinchTool(viewport, [first, second]) {
  let last = [first, second]
  const middle = ([[ax, ay], [bx, by]]) => [(ax + bx) / 2, (ay + by) / 2]
  const apart = ([[ax, ay], [bx, by]]) => Math.max(1, Math.hypot(ax - bx, ay - by))
  function move(fingers) {
    if (fingers.length < 2) return
    const [from, to] = [middle(last), middle(fingers)]
    viewport.panBy(to[0] - from[0], to[1] - from[1])
    viewport.zoomAt(to, apart(fingers) / apart(last))
    last = fingers
  }
  return { kind: 'pinch', move, end() {}, cancel() {} }
}

// The pointer on the canvas: mouse, pen and fingers choose what is under them and start its tool.
import { coversCanvas, layerAt } from './hits.mjs'
import { frameOf, handleUnder } from './layer_frame.mjs'
import { moveTool, panTool, pinchTool, scaleTool, splitTool, turnTool } from './tools.mjs'
import { cursorFor } from './cursors.mjs'

const REACH = { mouse: 9, pen: 12, touch: 22 } // CSS pixels around a handle
const STILL = { mouse: 3, pen: 4, touch: 9 } // CSS pixels: less is a click

/**
 * @param {object} context of the view, and its viewport
 * @param {HTMLElement} surface what takes the pointer
 * @param {function} changed called when something has to be drawn anew
 * @returns {{state: object, destroy: function}} state: {hover, lines, moving}, for drawing
 */
export function createGestures(context, viewport, surface, changed) {
  const { model, display } = context
  const state = { hover: null, lines: [], moving: new Set(), busy: false }
  const fingers = new Map() // pointerId -> place
  let tool = null
  let begun = null // {pointer, place, moved}
  let clicked = null // the place of the last click that chose something

  function down(event) {
    context.focusCanvas()
    const place = viewport.at(event)
    if (event.pointerType === 'touch') fingers.set(event.pointerId, place)
    surface.setPointerCapture(event.pointerId)
    if (fingers.size === 2) return pinch()
    if (tool || event.button > 1) return
    begun = { pointer: event.pointerId, place, moved: false, type: event.pointerType }
    tool = pick(event, place)
    state.busy = true
    cursor(event, place)
    changed()
  }

  /** What a press at this place starts. */
  function pick(event, place) {
    if (event.button === 1 || context.held(' ')) return panTool(viewport, place)
    const polygon = context.cuts.polygon()
    if (polygon) return event.button === 0 ? polygon.pick(place, event.pointerType) : emptyTool()
    if (
      display.result &&
      Math.abs(place[0] - viewport.toView([display.split * model.document.width, 0])[0]) <
        REACH[event.pointerType]
    ) {
      return splitTool(context, viewport)
    }
    const handle = handleAt(place, event.pointerType)
    if (handle?.kind === 'scale') return scaleTool(context, viewport, place, state, handle.corner)
    if (handle?.kind === 'turn') return turnTool(context, viewport, place, state)
    const point = viewport.toCanvas(place)
    const top = topmost(point)
    if (!top || lies(top, place, event.pointerType))
      return event.pointerType === 'touch' ? panTool(viewport, place) : emptyTool()
    begun.added = event.shiftKey && !model.chosen.includes(top)
    if (begun.added) model.choose([...model.chosen, top])
    else if (!event.shiftKey && !model.chosen.includes(top) && !again(place, event.pointerType))
      model.choose([top])
    return moveTool(context, viewport, place, state)
  }

  /** What covers the canvas lies still until a click chooses it: a drag beside an object moves nothing. */
  function lies(id, place, type) {
    const layer = model.document.layers.find((one) => one.id === id)
    return (
      !model.chosen.includes(id) && !again(place, type) && coversCanvas(model.document, layer, context.pictures)
    )
  }

  /** Locked layers are as if painted on the canvas: the list alone chooses them. */
  function topmost([x, y], below) {
    const layers = model.document.layers.filter((layer) => !layer.locked)
    return layerAt({ ...model.document, layers }, context.pictures, x, y, { below })
  }
  const emptyTool = () => ({ move() {}, end() {}, cancel() {} })

  function handleAt(place, type) {
    const layer = model.primary
    if (!layer || layer.locked) return null
    return handleUnder(
      frameOf(model.document, layer, context.pictures, viewport),
      place,
      REACH[type] ?? REACH.mouse,
      viewport.magnified(),
    )
  }

  function move(event) {
    const place = viewport.at(event)
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, place)
    if (!tool) return rest(event, place)
    if (tool.kind === 'pinch') tool.move([...fingers.values()])
    else if (event.pointerId === begun.pointer) {
      begun.moved ||= Math.hypot(place[0] - begun.place[0], place[1] - begun.place[1]) >= STILL[begun.type]
      if (begun.moved) tool.move(place, event)
    }
    changed()
  }

  /** No button is down: what is under the pointer shows itself. */
  function rest(event, place) {
    const polygon = context.cuts.polygon()
    polygon?.hover(place)
    const over = polygon || handleAt(place, event.pointerType) ? null : topmost(viewport.toCanvas(place))
    cursor(event, place, over)
    if (over === state.hover && !polygon) return
    state.hover = over
    changed()
  }

  function cursor(event, place, over = state.hover) {
    const primary = model.primary
    const frame = primary && frameOf(model.document, primary, context.pictures, viewport)
    const handle = handleAt(place, event.pointerType)
    surface.style.cursor = cursorFor({
      tool,
      handle,
      frame,
      over: over && !lies(over, place, event.pointerType),
      space: context.held(' '),
      alt: event.altKey,
      drawing: Boolean(context.cuts.polygon()),
    })
  }

  function up(event) {
    fingers.delete(event.pointerId)
    if (!tool || (tool.kind !== 'pinch' && event.pointerId !== begun.pointer)) return
    const was = tool
    finish()
    if (begun.moved || was.kind === 'pinch') was.end()
    else if (was.click) was.click()
    else click(event)
    cursor(event, viewport.at(event))
    changed()
  }

  /** Whether a press is where the last click was: what that one has chosen, be it below others, is meant. */
  function again(place, type) {
    return (
      model.chosen.length > 0 &&
      clicked &&
      Math.hypot(place[0] - clicked[0], place[1] - clicked[1]) < STILL[type]
    )
  }

  /** A press that did not move: the topmost layer, or at the same place again the next one below. */
  function click(event) {
    if (event.button !== 0 || context.held(' ')) return
    const place = viewport.at(event)
    if (handleAt(place, event.pointerType)) return
    const point = viewport.toCanvas(place)
    if (event.shiftKey) {
      // what the press has just added stays, else a click takes it out
      const top = topmost(point)
      const rest = model.chosen.filter((id) => id !== top)
      if (!begun.added && top) model.choose(model.chosen.includes(top) ? rest : [...rest, top])
      return
    }
    const next =
      (again(place, begun.type) && model.primary && topmost(point, model.primary.id)) || topmost(point)
    model.choose(next ? [next] : [])
    clicked = next ? place : null
  }

  function finish() {
    tool = null
    state.busy = false
    state.lines = []
    state.moving = new Set()
  }

  function pinch() {
    tool?.cancel()
    model.cancel()
    finish()
    tool = pinchTool(viewport, [...fingers.values()])
    begun = { moved: true, pointer: null }
  }

  function cancel() {
    if (!tool) return false
    tool.cancel()
    model.cancel()
    finish()
    changed()
    return true
  }

  const leave = () => {
    if (tool || state.hover === null) return
    state.hover = null
    changed()
  }
  const lost = (event) => {
    fingers.delete(event.pointerId)
    cancel()
  }
  const listeners = {
    pointerdown: down,
    pointermove: move,
    pointerup: up,
    pointercancel: lost,
    pointerleave: leave,
  }
  for (const [name, listener] of Object.entries(listeners)) surface.addEventListener(name, listener)
  surface.addEventListener('collage-middle', ({ detail }) => listeners[detail.type](detail)) // see collage.js
  // what a browser does by itself would take the focus from the keys
  surface.addEventListener('mousedown', (event) => event.preventDefault())
  context.cancelGesture = cancel
  return { state, destroy: cancel }
}

// Where the canvas lies in its view: canvas pixels, CSS pixels of the element, and the way between them.

const MARGIN = 30 // CSS pixels around the canvas at zoom 1: handles at its edges stay in reach

/**
 * @param {HTMLElement} element what the canvas is shown in
 * @param {import('./model.mjs').Model} model
 * @param {import('./display.mjs').Display} display
 */
export function createViewport(element, model, display) {
  /** CSS pixels for one canvas pixel. */
  function scale() {
    const { width, height } = model.document
    const room = (side) => Math.max(40, side - 2 * MARGIN)
    return Math.min(room(element.clientWidth) / width, room(element.clientHeight) / height) * display.zoom
  }

  /** The upper left corner of the canvas, in CSS pixels. */
  function origin() {
    const { width, height } = model.document
    const s = scale()
    return [
      element.clientWidth / 2 - s * (width / 2 + display.pan[0]),
      element.clientHeight / 2 - s * (height / 2 + display.pan[1]),
    ]
  }

  const toView = ([x, y]) => {
    const [left, top] = origin()
    return [left + x * scale(), top + y * scale()]
  }
  const toCanvas = ([x, y]) => {
    const [left, top] = origin()
    return [(x - left) / scale(), (y - top) / scale()]
  }

  /** How much larger than its own CSS pixels the page shows the element: the zoom of the graph. */
  const magnified = () => element.getBoundingClientRect().width / element.offsetWidth || 1

  /** Where an event happened, in CSS pixels of the element. */
  function at(event) {
    const { left, top } = element.getBoundingClientRect()
    const k = magnified()
    return [(event.clientX - left) / k, (event.clientY - top) / k]
  }

  function panBy(dx, dy) {
    const s = scale()
    const { width, height } = model.document
    const kept = (value, side) => Math.min(side, Math.max(-side, value))
    display.set({ pan: [kept(display.pan[0] - dx / s, width), kept(display.pan[1] - dy / s, height)] })
  }

  /** Zooms about a point of the view, which stays where it is. */
  function zoomAt(point, factor) {
    const before = toCanvas(point)
    display.set({ zoom: display.zoom * factor })
    const after = toView(before)
    panBy(point[0] - after[0], point[1] - after[1])
  }

  return { scale, origin, toView, toCanvas, magnified, at, panBy, zoomAt }
}

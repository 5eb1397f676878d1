// The line around an object, point by point, by clicks or keys. Points are in pixels of the picture.
import { frameOf } from './layer_frame.mjs'
import { box, sizeOf } from './placement.mjs'

const REACH = { mouse: 9, pen: 12, touch: 22 } // CSS pixels around the first point
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
const FAR = 10 // canvas pixels of an arrow with Shift
const LINE = '#3b9dff'
const DARK = 'rgba(0, 0, 0, 0.6)'

/**
 * @param {object} context of the view
 * @param {{layer: () => object, keep: () => boolean, changed: function, close: function}} options
 *   close(points): the line is closed
 */
export function createPolygon(context, { layer, keep, changed, close }) {
  const points = []
  let pointer = null // of the canvas, in its pixels
  let byKeys = false

  const matrix = () => {
    const one = layer()
    return box(context.model.document, one, sizeOf(one, context.pictures.get(one.picture))).matrix
  }
  const toPicture = ([x, y]) => {
    const [a, b, c, d, e, f] = matrix()
    const area = a * d - b * c
    return [(d * (x - e) - c * (y - f)) / area, (a * (y - f) - b * (x - e)) / area]
  }
  const toView = ([x, y]) => {
    const [a, b, c, d, e, f] = matrix()
    return context.viewport.toView([a * x + c * y + e, b * x + d * y + f])
  }

  function add(at) {
    points.push(toPicture(at))
    changed()
  }
  function back() {
    points.pop()
    changed()
  }
  const finish = () => points.length > 2 && close([...points])
  const onFirst = (place, reach) => {
    if (points.length < 3) return false
    const [x, y] = toView(points[0])
    return Math.hypot(place[0] - x, place[1] - y) <= reach
  }

  /** What a press does: it sets a point, which goes along until it is let go, or closes the line. */
  function pick(place, type) {
    if (onFirst(place, REACH[type] ?? REACH.mouse))
      return { kind: 'polygon', move() {}, click: finish, end: finish, cancel() {} }
    byKeys = false
    add(context.viewport.toCanvas(place))
    const move = (now) => {
      pointer = context.viewport.toCanvas(now)
      points[points.length - 1] = toPicture(pointer)
    }
    return { kind: 'polygon', move, click() {}, end() {}, cancel: back }
  }

  function hover(place) {
    pointer = context.viewport.toCanvas(place)
    byKeys = false
  }

  /** Whether a key is one of the line's. */
  function key(name) {
    const step = STEPS[name.replace('Shift+', '')]
    if (step) go(step, name.startsWith('Shift+') ? FAR : 1)
    else if (name === 'Enter') finish()
    else if (name === ' ' && byKeys) add(pointer)
    else if (['Backspace', 'Delete', 'Ctrl+Z'].includes(name) && points.length) back()
    else return false
    return true
  }

  /** The pointer by keys begins in the middle of the canvas. */
  function go([dx, dy], far) {
    const { width, height } = context.model.document
    const [x, y] = pointer ?? [width / 2, height / 2]
    pointer = [x + dx * far, y + dy * far]
    byKeys = true
    changed()
  }

  /** What would go is darkened; over it the line, its points and the way to the pointer. */
  function paint(g) {
    const { document } = context.model
    const seen = points.map(toView)
    const now = pointer && context.viewport.toView(pointer)
    if (seen.length > 2) {
      g.beginPath()
      if (keep()) path(g, frameOf(document, layer(), context.pictures, context.viewport).corners)
      path(g, seen)
      g.fillStyle = 'rgba(0, 0, 0, 0.5)'
      g.fill('evenodd')
    }
    g.beginPath()
    along(g, now && seen.length ? [...seen, now] : seen)
    stroke(g)
    seen.forEach((point, i) => dot(g, point, i === 0 && seen.length > 2 ? 5.5 : 3))
    if (byKeys && now) cross(g, now)
  }

  return { pick, hover, key, paint, finish, count: () => points.length }
}

function along(g, points) {
  points.forEach(([x, y], i) => (i ? g.lineTo(x, y) : g.moveTo(x, y)))
}

function path(g, corners) {
  along(g, corners)
  g.closePath()
}

function stroke(g) {
  g.lineJoin = 'round'
  g.lineWidth = 3.5
  g.strokeStyle = DARK
  g.stroke()
  g.lineWidth = 1.5
  g.strokeStyle = LINE
  g.stroke()
}

function dot(g, [x, y], radius) {
  g.beginPath()
  g.arc(x, y, radius, 0, 2 * Math.PI)
  stroke(g)
  g.fillStyle = '#fff'
  g.fill()
}

function cross(g, [x, y]) {
  g.beginPath()
  g.moveTo(x - 9, y)
  g.lineTo(x + 9, y)
  g.moveTo(x, y - 9)
  g.lineTo(x, y + 9)
  stroke(g)
}

// The frame of a chosen layer in CSS pixels of a view: corners, handles, and what lies under a point.
import { box, sizeOf } from './placement.mjs'

const SMALLEST = 14 // half a side: smaller layers have their handles outside, so that they can be dragged
const STEM = 26 // from the upper edge to the knob that turns
const RING = 26 // around a corner, outside of the frame: turns as well
const FARTHEST = 0.5 // zoom of the graph; still farther away, a small layer would be all handles
export const SIGNS = [
  [-1, -1],
  [1, -1],
  [1, 1],
  [-1, 1],
]

/** The layer's rectangle on the canvas, in canvas pixels. */
export const boxOf = (document, layer, pictures) =>
  box(document, layer, sizeOf(layer, pictures.get(layer.picture)))

/** @returns {{centre, across, down, radians, corners, knob}} points as [x, y] */
export function frameOf(document, layer, pictures, viewport) {
  const { cx, cy, width, height, radians } = boxOf(document, layer, pictures)
  const centre = viewport.toView([cx, cy])
  const across = Math.max(SMALLEST, (width * viewport.scale()) / 2)
  const down = Math.max(SMALLEST, (height * viewport.scale()) / 2)
  const corners = SIGNS.map(([a, b]) => turned(centre, a * across, b * down, radians))
  const knob = turned(centre, 0, -down - STEM, radians)
  const stem = turned(centre, 0, -down, radians)
  return { centre, across, down, radians, corners, knob, stem }
}

function turned([x, y], dx, dy, radians) {
  const [cos, sin] = [Math.cos(radians), Math.sin(radians)]
  return [x + cos * dx - sin * dy, y + sin * dx + cos * dy]
}

/**
 * What of a frame lies under a point: {kind: 'scale', corner} | {kind: 'turn'} | null.
 * @param {number} reach CSS pixels around a handle; more for a finger than for a mouse
 * @param {number} zoom of the graph: where it is far away, handles reach as far on the screen
 */
export function handleUnder(frame, point, reach, zoom = 1) {
  const grown = 1 / Math.min(1, Math.max(FARTHEST, zoom))
  const away = ([x, y]) => Math.hypot(point[0] - x, point[1] - y)
  const corner = frame.corners.findIndex((one) => away(one) <= reach * grown)
  if (corner >= 0) return { kind: 'scale', corner }
  if (away(frame.knob) <= (reach + 2) * grown) return { kind: 'turn' }
  const [dx, dy] = turned([0, 0], point[0] - frame.centre[0], point[1] - frame.centre[1], -frame.radians)
  const outside = Math.abs(dx) > frame.across && Math.abs(dy) > frame.down
  return outside && frame.corners.some((one) => away(one) <= RING * grown) ? { kind: 'turn' } : null
}

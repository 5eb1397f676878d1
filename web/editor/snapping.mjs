// Snapping: what is dragged sticks to the edges and the middle of the canvas when it comes near.

export const REACH = 6 // CSS pixels

/**
 * The shift that snaps a box, and the lines that it then lies on.
 * @param {{left: number, top: number, right: number, bottom: number}} box in canvas pixels
 * @param {{width: number, height: number}} canvas
 * @param {number} reach in canvas pixels
 * @returns {{dx: number, dy: number, lines: {axis: 'x'|'y', at: number}[]}}
 */
export function snap(box, canvas, reach) {
  const x = nearest(box.left, box.right, canvas.width, reach)
  const y = nearest(box.top, box.bottom, canvas.height, reach)
  const lines = [x && { axis: 'x', at: x.at }, y && { axis: 'y', at: y.at }].filter(Boolean)
  return { dx: x?.by ?? 0, dy: y?.by ?? 0, lines }
}

/** Along one axis: start on 0, end on the size, middle on the middle; the middle wins a tie. */
function nearest(start, end, size, reach) {
  const found = [
    { by: size / 2 - (start + end) / 2, at: size / 2 },
    { by: -start, at: 0 },
    { by: size - end, at: size },
  ].filter(({ by }) => Math.abs(by) <= reach)
  return found.sort((a, b) => Math.abs(a.by) - Math.abs(b.by))[0] ?? null
}

/** The upright box around boxes {left, top, right, bottom}. */
export function around(boxes) {
  const all = (name, pick) => pick(...boxes.map((one) => one[name]))
  return {
    left: all('left', Math.min),
    top: all('top', Math.min),
    right: all('right', Math.max),
    bottom: all('bottom', Math.max),
  }
}

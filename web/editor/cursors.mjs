// The shape of the pointer over the canvas says what a press would do.

const TURN = turnCursor()
const DIAGONALS = ['ns-resize', 'nesw-resize', 'ew-resize', 'nwse-resize'] // every 45 degrees from up

function turnCursor() {
  const arc = 'M5 13a7 7 0 1 1 4 5.4M5 7v6h6'
  const line = (colour, width) =>
    `<path d="${arc}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"/>`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24">${line('white', 5)}${line('black', 2)}</svg>`
  return `url("data:image/svg+xml,${encodeURIComponent(svg)}") 12 12, crosshair`
}

/** The double arrow that points from the middle of a frame through its corner. */
function scaleCursor({ centre, corners }, corner) {
  const [x, y] = corners[corner]
  const clockwise = Math.atan2(x - centre[0], centre[1] - y)
  return DIAGONALS[((Math.round(clockwise / (Math.PI / 4)) % 4) + 4) % 4]
}

/** @returns {string} a CSS cursor */
export function cursorFor({ tool, handle, frame, over, space, alt, drawing }) {
  if (tool?.kind === 'pan') return 'grabbing'
  if (tool?.kind === 'split') return 'ew-resize'
  if (space) return 'grab'
  if (drawing) return 'crosshair'
  if (tool?.kind === 'turn' || (!tool && handle?.kind === 'turn')) return TURN
  if (tool?.kind === 'scale') return scaleCursor(frame, tool.corner ?? 0)
  if (handle?.kind === 'scale' && frame) return scaleCursor(frame, handle.corner)
  if (tool?.kind === 'move' || over) return alt ? 'copy' : 'move'
  return 'default'
}

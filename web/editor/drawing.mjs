// What one view shows: the collage, 30 % of what lies off the canvas, overlay, result, frames and lines.
import { frameOf } from './layer_frame.mjs'

const OUTSIDE = 0.3 // of what lies off the canvas is left
const SINGLE_PIXELS = 6 // for one of the canvas: that large they are looked at one by one
const HANDLE = 9 // CSS pixels
const ACCENT = '#3b9dff'
const SNAPPED = '#ff3dbb'
const DARK = 'rgba(0, 0, 0, 0.6)'

/**
 * Paints a view. g: the context of its canvas, `ratio` pixels to a CSS pixel.
 * scene: {document, chosen, pictures, viewport, stage, moving, live, overlay, display, resultImage, hover,
 * lines, polygon, text}
 */
export function drawScene(g, ratio, scene) {
  const { document, viewport } = scene
  const s = viewport.scale() * ratio
  const [left, top] = viewport.origin().map((value) => value * ratio)
  g.setTransform(1, 0, 0, 1, 0, 0)
  g.clearRect(0, 0, g.canvas.width, g.canvas.height)
  g.setTransform(s, 0, 0, s, left, top)
  scene.stage.paint(g, document, scene.moving)
  dimOutside(g, document)
  paintInside(g, scene, s)
  g.setTransform(ratio, 0, 0, ratio, 0, 0)
  edge(g, document, viewport)
  document.layers.forEach((layer) => absent(g, scene, layer))
  if (scene.display.result) splitLine(g, scene)
  scene.lines.forEach((line) => snappedLine(g, line, document, viewport))
  hovered(g, scene)
  scene.chosen.forEach((id) => chosenFrame(g, scene, id))
  scene.polygon?.paint(g)
}

/** The exact picture where there is one of this very document, then overlay and result. */
function paintInside(g, { document, live, overlay, display, resultImage }, scale) {
  const exact = live?.document === document
  if (exact) {
    g.imageSmoothingEnabled = scale < SINGLE_PIXELS
    g.imageSmoothingQuality = scale < 1 ? 'medium' : 'low'
    g.drawImage(live.canvas, 0, 0, document.width, document.height)
  }
  if (overlay) g.drawImage(overlay, 0, 0, document.width, document.height)
  g.imageSmoothingEnabled = true
  if (!display.result || !resultImage) return
  const from = display.split * document.width
  g.save()
  g.beginPath()
  g.rect(from, 0, document.width - from, document.height)
  g.clip()
  g.drawImage(resultImage, 0, 0, document.width, document.height)
  g.restore()
}

function dimOutside(g, { width, height }) {
  g.save()
  g.globalCompositeOperation = 'destination-out'
  g.fillStyle = `rgba(0, 0, 0, ${1 - OUTSIDE})`
  g.beginPath()
  const far = 6 * Math.max(width, height)
  g.rect(-far, -far, 2 * far + width, 2 * far + height)
  g.rect(0, 0, width, height)
  g.fill('evenodd')
  g.restore()
}

function edge(g, { width, height }, viewport) {
  const [left, top] = viewport.origin()
  const s = viewport.scale()
  g.strokeStyle = 'rgba(0, 0, 0, 0.45)'
  g.lineWidth = 1
  g.strokeRect(
    Math.round(left) - 0.5,
    Math.round(top) - 0.5,
    Math.round(width * s) + 1,
    Math.round(height * s) + 1,
  )
}

/** A layer whose picture is not there yet, or cannot be shown: where it lies, and why. */
function absent(g, scene, layer) {
  const { state } = scene.pictures.get(layer.picture)
  if (state === 'ready' || !layer.visible) return
  const { corners, centre, across } = frameOf(scene.document, layer, scene.pictures, scene.viewport)
  g.save()
  outline(g, corners)
  g.fillStyle = state === 'loading' ? 'rgba(128, 128, 128, 0.25)' : 'rgba(200, 40, 40, 0.3)'
  g.fill()
  g.setLineDash([5, 4])
  twice(g, state === 'loading' ? '#ccc' : '#ff8080', 1)
  if (state !== 'loading' && across > 30)
    label(g, scene.text('canvas.missing', { name: layer.text }), centre, 2 * across)
  g.restore()
}

function label(g, words, [x, y], room) {
  g.font = '12px system-ui, sans-serif'
  g.textAlign = 'center'
  g.textBaseline = 'middle'
  g.lineWidth = 3
  g.setLineDash([])
  g.strokeStyle = DARK
  g.strokeText(words, x, y, room - 8)
  g.fillStyle = '#fff'
  g.fillText(words, x, y, room - 8)
}

function hovered(g, { document, hover, chosen, pictures, viewport }) {
  const layer = document.layers.find((one) => one.id === hover)
  if (!layer || chosen.includes(hover)) return
  outline(g, frameOf(document, layer, pictures, viewport).corners)
  twice(g, '#fff', 1)
}

function chosenFrame(g, { document, chosen, pictures, viewport, moving, polygon }, id) {
  const layer = document.layers.find((one) => one.id === id)
  if (!layer) return
  const frame = frameOf(document, layer, pictures, viewport)
  const primary = id === chosen.at(-1)
  g.save()
  outline(g, frame.corners)
  if (layer.locked) g.setLineDash([6, 4])
  twice(g, ACCENT, primary ? 1.5 : 1)
  g.restore()
  if (!primary || layer.locked || moving.has(id) || polygon) return
  g.beginPath()
  g.moveTo(...frame.stem)
  g.lineTo(...frame.knob)
  twice(g, ACCENT, 1.5)
  frame.corners.forEach((corner) => square(g, corner, frame.radians))
  g.beginPath()
  g.arc(...frame.knob, HANDLE / 2 + 0.5, 0, 2 * Math.PI)
  filled(g)
}

function outline(g, corners) {
  g.beginPath()
  corners.forEach(([x, y], index) => (index ? g.lineTo(x, y) : g.moveTo(x, y)))
  g.closePath()
}

/** A line that can be seen on any picture: dark under light. */
function twice(g, colour, width) {
  g.lineWidth = width + 2
  g.strokeStyle = DARK
  g.stroke()
  g.lineWidth = width
  g.strokeStyle = colour
  g.stroke()
}

function square(g, [x, y], radians) {
  g.save()
  g.translate(x, y)
  g.rotate(radians)
  g.beginPath()
  g.rect(-HANDLE / 2, -HANDLE / 2, HANDLE, HANDLE)
  filled(g)
  g.restore()
}

function filled(g) {
  g.lineWidth = 4
  g.strokeStyle = DARK
  g.stroke()
  g.lineWidth = 2
  g.strokeStyle = ACCENT
  g.stroke()
  g.fillStyle = '#fff'
  g.fill()
}

function snappedLine(g, { axis, at }, { width, height }, viewport) {
  const [from, to] =
    axis === 'x'
      ? [
          [at, 0],
          [at, height],
        ]
      : [
          [0, at],
          [width, at],
        ]
  g.beginPath()
  g.moveTo(...viewport.toView(from).map((value) => Math.round(value) + 0.5))
  g.lineTo(...viewport.toView(to).map((value) => Math.round(value) + 0.5))
  twice(g, SNAPPED, 1)
}

/** The line between collage and result, with its grip and the names of both sides. */
function splitLine(g, { document, display, viewport, text }) {
  const at = display.split * document.width
  const [x, top] = viewport.toView([at, 0])
  const [, bottom] = viewport.toView([at, document.height])
  g.beginPath()
  g.moveTo(x, top)
  g.lineTo(x, bottom)
  twice(g, '#fff', 2)
  const y = (top + bottom) / 2
  g.beginPath()
  g.arc(x, y, 12, 0, 2 * Math.PI)
  filled(g)
  g.beginPath()
  for (const side of [-1, 1]) {
    g.moveTo(x + side * 3, y - 4)
    g.lineTo(x + side * 7, y)
    g.lineTo(x + side * 3, y + 4)
  }
  g.lineWidth = 1.5
  g.strokeStyle = '#222'
  g.stroke()
  g.save()
  label(g, text('canvas.collage'), [x - 40, top + 14], 70)
  label(g, text('canvas.result'), [x + 40, top + 14], 70)
  g.restore()
}

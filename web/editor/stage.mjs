// The collage by a 2D canvas, fast enough for dragging: what does not move is painted once and kept.
import { changes } from './edited.mjs'
import { boxOf } from './layer_frame.mjs'
import { mirrored } from './placement.mjs'

const BLENDING = {
  normal: 'source-over',
  multiply: 'multiply',
  screen: 'screen',
  overlay: 'overlay',
  'soft light': 'soft-light',
  darken: 'darken',
  lighten: 'lighten',
  add: 'lighter',
}

export function createStage(pictures) {
  const below = createSheet()
  const above = createSheet()
  const one = (g, document, layer) => paintLayer(g, document, layer, pictures)

  /**
   * Paints a document. g: its transform maps canvas pixels to its own.
   * @param {Set<string>} moving ids of layers that change from frame to frame; empty when at rest
   */
  function paint(g, document, moving) {
    const shown = drawn(document, moving)
    const first = shown.findIndex((layer) => moving.has(layer.id))
    const last = shown.findLastIndex((layer) => moving.has(layer.id))
    const under = first < 0 ? shown : shown.slice(0, first)
    const { width, height, background, background_picture: picture, edit } = document
    below.show(g, [width, height, background, picture, edit?.picture, ...under], (sheet) => {
      paintBackground(sheet, document, pictures)
      under.forEach((layer) => one(sheet, document, layer))
    })
    if (first < 0) return
    shown.slice(first, last + 1).forEach((layer) => one(g, document, layer))
    const over = shown.slice(last + 1)
    // blending needs what is under it, so such layers are painted anew each time
    if (over.some((layer) => layer.blend !== 'normal')) over.forEach((layer) => one(g, document, layer))
    else if (over.length) above.show(g, over, (sheet) => over.forEach((layer) => one(sheet, document, layer)))
  }

  /** Pictures have changed: nothing of what is kept holds. */
  function forget() {
    below.forget()
    above.forget()
  }
  return { paint, forget }
}

/** A canvas that is painted again only where something in its list, or the transform, is another one. */
function createSheet() {
  const canvas = new OffscreenCanvas(1, 1)
  const own = canvas.getContext('2d')
  let painted = []
  function show(g, list, paint) {
    const { a, e, f } = g.getTransform()
    const { width, height } = g.canvas
    const wanted = [width, height, a, e, f, ...list]
    if (wanted.length !== painted.length || wanted.some((item, index) => item !== painted[index])) {
      if (canvas.width !== width) canvas.width = width
      if (canvas.height !== height) canvas.height = height
      own.setTransform(1, 0, 0, 1, 0, 0)
      own.clearRect(0, 0, width, height)
      own.setTransform(a, 0, 0, a, e, f)
      paint(own)
      painted = wanted
    }
    g.save()
    g.setTransform(1, 0, 0, 1, 0, 0)
    g.drawImage(canvas, 0, 0)
    g.restore()
  }
  return {
    show,
    forget: () => {
      painted = []
    },
  }
}

/** The layers to paint: of an edit only those that are put into the finished picture, or are on their way. */
function drawn(document, moving) {
  const shown = document.layers.filter((layer) => layer.visible)
  if (!document.edit) return shown
  const { pasted } = changes(document)
  return shown.filter(({ id }) => pasted.has(id) || (moving.has(id) && document.edit.layers.includes(id)))
}

function paintBackground(g, document, pictures) {
  g.fillStyle = document.background
  g.fillRect(0, 0, document.width, document.height)
  const name = document.edit?.picture ?? document.background_picture
  if (!name) return
  const picture = pictures.get(name)
  if (picture.state !== 'ready') return
  g.save()
  g.beginPath()
  g.rect(0, 0, document.width, document.height)
  g.clip()
  const scale = Math.max(document.width / picture.width, document.height / picture.height)
  const [width, height] = [picture.width * scale, picture.height * scale]
  const pixels = sized(pictures, name, Math.max(width, height) * g.getTransform().a)
  g.drawImage(pixels, (document.width - width) / 2, (document.height - height) / 2, width, height)
  g.restore()
}

function paintLayer(g, document, layer, pictures) {
  if (pictures.get(layer.picture).state !== 'ready') return
  const { cx, cy, width, height, radians } = boxOf(document, layer, pictures)
  const pixels = sized(pictures, layer.picture, Math.max(width, height) * g.getTransform().a)
  g.save()
  g.globalAlpha = layer.opacity
  g.globalCompositeOperation = BLENDING[layer.blend] ?? 'source-over'
  g.translate(cx, cy)
  g.rotate(radians)
  g.scale(...mirrored(layer.flip))
  g.drawImage(pixels, -width / 2, -height / 2, width, height)
  g.restore()
}

/** The picture in at most twice the size it is shown in: a large photo costs no more than a small one. */
function sized(pictures, name, side) {
  const { bitmap, width, height } = pictures.get(name)
  const enough = 2 ** Math.ceil(Math.log2(Math.max(64, side)))
  return enough >= Math.max(width, height) ? bitmap : pictures.thumbnail(name, enough)
}

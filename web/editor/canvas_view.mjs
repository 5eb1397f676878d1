// The canvas of one view: draws the collage and what is chosen, and takes the pointer.
import { createGestures } from './gestures.mjs'
import { createStage } from './stage.mjs'
import { createViewport } from './viewport.mjs'
import { drawScene } from './drawing.mjs'

const SHARPEST = 2 // pixels for one CSS pixel, at most
const WHEEL = 400 // of deltaY for a factor of e

/**
 * @param {object} context of the view
 * @returns {{root: HTMLElement, destroy: function}}
 */
export function createCanvasView(context) {
  const { model, pictures, display, live, cuts } = context
  const root = document.createElement('div')
  root.className = 'collage-canvas'
  const canvas = document.createElement('canvas')
  canvas.className = 'collage-canvas-surface'
  root.append(canvas, context.keys)
  const g = canvas.getContext('2d')
  const viewport = createViewport(root, model, display)
  const stage = createStage(cuts.preview.pictures)
  let frame = 0
  let frames = 0 // drawn so far, for those who measure

  const schedule = () => {
    frame ||= requestAnimationFrame(draw)
  }
  const gestures = createGestures(context, viewport, canvas, schedule)
  const resultImage = createResultImage(schedule)
  context.viewport = viewport

  function draw() {
    frame = 0
    const sides = [root.clientWidth, root.clientHeight]
    if (!sides.every(Boolean)) return // a canvas without pixels cannot be drawn
    frames += 1
    const ratio = Math.min(SHARPEST, Math.max(1, devicePixelRatio * viewport.magnified()))
    const [width, height] = sides.map((side) => Math.round(side * ratio))
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    const exact = live.current()
    drawScene(g, ratio, {
      ...gestures.state,
      document: cuts.preview.document(model.document),
      chosen: model.chosen,
      polygon: cuts.polygon(),
      pictures: cuts.preview.pictures,
      viewport,
      stage,
      display,
      live: gestures.state.moving.size ? null : exact,
      overlay: exact && !model.drafting ? context.overlay(exact) : null,
      resultImage: resultImage(display.result?.url ?? ''),
      text: context.text,
    })
  }

  function wheel(event) {
    if (!context.hasFocus()) return context.host.wheel(event) // it zooms the graph
    event.preventDefault()
    event.stopPropagation()
    const steps = event.deltaMode === 1 ? 16 : 1
    if (event.shiftKey) viewport.panBy(-(event.deltaX || event.deltaY) * steps, 0)
    else viewport.zoomAt(viewport.at(event), Math.exp((-event.deltaY * steps) / WHEEL))
  }

  root.addEventListener('wheel', wheel, { passive: false })
  canvas.addEventListener('pointerenter', schedule) // the page may have been zoomed meanwhile
  const sizes = new ResizeObserver(schedule)
  sizes.observe(root)
  const endings = [
    model.subscribe(schedule),
    display.subscribe(schedule),
    cuts.subscribe(schedule),
    live.subscribe(schedule),
    pictures.subscribe(() => {
      stage.forget()
      schedule()
    }),
  ]
  root.collage = { context, viewport, frames: () => frames } // for tests and measurements
  schedule()
  return {
    root,
    destroy() {
      endings.forEach((end) => end())
      sizes.disconnect()
      gestures.destroy()
      cancelAnimationFrame(frame)
    },
  }
}

/** -> image(url): the picture at an address, null until it is there; then `arrived` is called. */
function createResultImage(arrived) {
  let [shown, image] = ['', null]
  async function load(url) {
    const next = new Image()
    next.src = url
    await next.decode()
    if (shown !== url) return
    image = next
    arrived()
  }
  return (url) => {
    if (url !== shown) {
      ;[shown, image] = [url, null]
      if (url) load(url).catch(() => {}) // a result that is gone shows the collage alone
    }
    return image
  }
}

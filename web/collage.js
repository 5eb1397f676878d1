// The Collage Editor in ComfyUI's page: the widget of a document. Only this and host.mjs know the page.
import { app } from '../../scripts/app.js'
import { api } from '../../scripts/api.js'
import { createEditor, createSession } from './editor/editor.mjs'
import { createHost, remember, upload } from './editor/host.mjs'
import { Model } from './editor/model.mjs'
import { createCompositor } from './editor/compositor.mjs'
import { createPictures } from './editor/pictures.mjs'
import { createResults } from './editor/results.mjs'
import { createTexts } from './editor/text/texts.mjs'
import { STACK, stackToTurn, turnIntoEditor } from './editor/turn_stack.mjs'

const WIDGET = 'COLLAGE_DOCUMENT'
const SMALLEST = [520, 620] // of the node, in pixels of the graph
const NEW = [760, 860]
const HEIGHT = 480 // of the editor, at least
const BESIDE = 104 // what the page adds to the smallest width of a widget, for arrows that this one has not

// of all editors of the page
const pictures = createPictures(viewUrl)
const results = createResults(api, app)
const editors = new Map() // node -> what ends its editor

function viewUrl(name, type = 'input') {
  const [file, ...folders] = name.split('/').reverse()
  const where = new URLSearchParams({ filename: file, subfolder: folders.reverse().join('/'), type })
  return api.apiURL(`/view?${where}`)
}

function createWidget(node, name) {
  const host = createHost({ app, api, node, results, viewUrl, committed: (text) => widget.callback?.(text) })
  const model = new Model()
  const session = createSession(host, { model, pictures, compositor: createCompositor(pictures) })
  const editor = createEditor(session)
  const widget = node.addDOMWidget(name, WIDGET, editor.root, {
    getValue: () => model.text,
    setValue(text) {
      session.take(text)
      adopt(node, editor.root)
    },
    getMinHeight: () => HEIGHT,
    hideOnZoom: false,
  })
  const { computeLayoutSize } = widget
  widget.computeLayoutSize = () => ({ ...computeLayoutSize.call(widget, node), minWidth: SMALLEST[0] - BESIDE })
  // the page's right-hand panel writes its own width into the widget, and the editor would be that narrow
  Object.defineProperty(widget, 'width', { configurable: true, get: () => node.size[0], set() {} })
  // the editor shows the collage itself: no second picture below it, in either look of the page
  node.hideOutputImages = true
  Object.defineProperty(node, 'imgs', { configurable: true, get: () => undefined, set() {} })
  const removed = node.onRemoved
  const end = () => {
    if (editors.delete(node)) [editor, session].forEach((part) => part.destroy())
  }
  node.onRemoved = function (...args) {
    removed?.apply(this, args)
    end()
  }
  editors.set(node, end)
  return { widget, minWidth: SMALLEST[0], minHeight: SMALLEST[1] }
}

/** Ends editors of graphs that are gone: nodes inside of a subgraph are not told when the page loads another. */
function endForgotten() {
  const root = app.rootGraph ?? app.graph
  for (const [{ graph }, end] of editors) {
    if (graph && graph !== root && root.subgraphs?.get(graph.id) !== graph) end()
  }
}

/** Nodes 2.0 keeps the element of a node that undo or a reload has made anew: ours takes its place. */
function adopt(node, root) {
  for (const wait of [0, 60, 400]) {
    setTimeout(() => {
      if (node.graph !== app.canvas?.graph || node.graph?.getNodeById(node.id) !== node) return
      const shown = document.querySelector(`[data-node-id="${node.id}"] .collage-editor`)
      if (shown && shown !== root) shown.replaceWith(root)
    }, wait)
  }
}

/** Nodes 2.0 tells what an input is for wherever the pointer rests on its widget: here, all over the canvas. */
function keepTips() {
  const keep = (event) => {
    const { target } = event
    const around = target instanceof Element && target.closest('[data-node-id]')
    if (around && target !== around && target.querySelector('.collage-editor')) event.stopPropagation()
  }
  window.addEventListener('mouseenter', keep, { capture: true })
}

/** Fingers in an editor are its own: the page zooms the graph by them, from listeners above the editor. */
function keepTouches() {
  const keep = (event) => {
    if (event.target.closest?.('.collage-editor')) event.stopPropagation()
  }
  for (const name of ['touchstart', 'touchmove', 'touchend', 'touchcancel']) {
    window.addEventListener(name, keep, { capture: true, passive: true })
  }
}

/** The middle button over a canvas pans its view: Nodes 2.0 would pan the graph, from above the editor. */
function keepMiddleButton() {
  const keep = (event) => {
    const surface = event.target.closest?.('.collage-canvas-surface')
    if (!surface || !(event.button === 1 || event.buttons === 4)) return
    event.stopPropagation()
    surface.dispatchEvent(new CustomEvent('collage-middle', { detail: event }))
  }
  for (const name of ['pointerdown', 'pointermove', 'pointerup']) {
    window.addEventListener(name, keep, { capture: true })
  }
}

const locale = () => app.extensionManager?.setting?.get('Comfy.Locale') ?? 'en'
const text = (key, values) => createTexts(locale())(key, values)

const page = {
  pictures,
  text,
  upload: (blob, extension) => upload(api, blob, extension),
  create: (type) => window.LiteGraph.createNode(type),
  notice: (notice) => app.extensionManager.toast.add(notice),
  async fetchPicture(file, folder) {
    const answer = await fetch(viewUrl(file, folder))
    if (!answer.ok) throw new Error(`${file}: ${answer.status}`)
    return answer.blob()
  },
  changed() {
    app.canvas.setDirty(true, true)
    remember(app)
  },
}

function turnChosen() {
  const stack = stackToTurn(app.canvas.selectedItems ?? [], app.canvas.graph.nodes)
  if (stack) return turnIntoEditor(page, stack)
  return page.notice({ severity: 'info', summary: text('turn'), detail: text('turn.choose'), life: 8000 })
}

keepTips()
keepTouches()
keepMiddleButton()
app.registerExtension({
  name: 'CollageDiffusion.Editor',
  commands: [{ id: 'CollageDiffusion.TurnIntoEditor', label: () => text('turn'), function: turnChosen }],
  getNodeMenuItems: (node) =>
    node.comfyClass === STACK ? [{ content: text('turn'), callback: () => turnIntoEditor(page, node) }] : [],
  getCustomWidgets: () => ({ [WIDGET]: createWidget }),
  afterConfigureGraph: endForgotten,
  nodeCreated(node) {
    if (node.comfyClass === 'CollageEditor')
      node.setSize(NEW.map((side, axis) => Math.max(side, node.size[axis])))
  },
})

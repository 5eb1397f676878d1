// One view of a collage: toolbar, canvas, layers, controls, sentence and messages around one model.
import { ACTIONS } from './actions.mjs'
import { Display } from './display.mjs'
import { createCanvasView } from './canvas_view.mjs'
import { createKeys } from './keys.mjs'
import { createLivePicture } from './live_picture.mjs'
import { choosePicture, listenForPictures } from './adding.mjs'
import { openLarge } from './large_view.mjs'

const NOTICE_TIME = 8000 // milliseconds
const PARTS = {
  toolbar: 'createToolbar', layer_list: 'createLayerList', layer_controls: 'createLayerControls',
  prompt_field: 'createPromptField', messages: 'createMessages', overlays: 'createLegend',
  welcome: 'createWelcome',
}
const found = {}
const load = (name) => name === 'welcome' ? null : import(`./${name}.mjs`).then((module) => { Object.assign(found, module) }, () => {})
await Promise.all([...Object.keys(PARTS), 'tooltip', 'text/texts'].map(load))

/**
 * What all views of one node share.
 * @param {object} host see web/collage.js
 * @param {{model: object, pictures: object, compositor: object}} parts
 */
export function createSession(host, { model, pictures, compositor }) {
  const live = createLivePicture({ model, pictures, compositor })
  let taking = false
  const end = model.subscribe(({ what }) => {
    if (what === 'document' && !taking && host.alive()) host.committed(model.text)
  })
  return {
    host, model, pictures, compositor, live,
    /** The text of the widget, from outside. */
    take(text) {
      taking = true
      model.set(text)
      taking = false
    },
    destroy() {
      end()
      live.destroy()
    },
  }
}

/**
 * @param {object} session see createSession
 * @param {{large?: boolean, leave?: function}} options leave: what Escape does in the end
 * @returns {{root: HTMLElement, context: object, destroy: function}}
 */
export function createEditor(session, { large = false, leave = () => document.activeElement?.blur() } = {}) {
  linkStyles()
  const frame = element('div', 'collage-frame')
  const root = element('div', `collage-editor${large ? ' collage-editor-large' : ''}`, frame)
  const region = found.createLiveRegion?.() ?? { root: element('div', ''), say() {} }
  const notice = createNotice()
  const texts = found.createTexts?.(session.host.locale)
  const text = (key, values) => {
    try {
      return texts(key, values)
    } catch {
      return key
    }
  }
  const context = {
    ...session, display: new Display(), large, leave, text,
    say: (key, values) => region.say(text(key, values)),
    refuse: (key, values) => notice.show(text(key, values)),
    run: (name) => { if (ACTIONS[name].enabled(context)) ACTIONS[name].run(context) },
    edit: (name, change) => context.done(name, session.model.edit(text(`step.${name}`), change)),
    commit: (name) => context.done(name, session.model.commit(text(`step.${name}`))),
    done: (name, changed) => { if (changed) context.say(`step.${name}`) },
    openLarge: () => openLarge(session, createEditor),
    choosePicture: (id) => choosePicture(context, id),
    hasFocus: () => large || root.contains(document.activeElement),
    overlay: overlayPainter(session.model, () => context.display.overlay),
  }
  const keys = createKeys(context)
  Object.assign(context, { keys: keys.root, focusCanvas: keys.focus, held: keys.held })
  const canvas = createCanvasView(context)
  const parts = Object.fromEntries(Object.entries(PARTS).filter(([, make]) => found[make])
    .map(([name, make]) => [name, found[make](context)]))
  const side = element('div', 'collage-side', parts.layer_list?.root, parts.layer_controls?.root)
  const middle = element('div', 'collage-middle', canvas.root, side)
  canvas.root.append(...[parts.welcome?.root, parts.overlays?.root, notice.root].filter(Boolean))
  frame.append(...[parts.toolbar?.root, middle, parts.prompt_field?.root, parts.messages?.root, region.root].filter(Boolean))
  const tooltip = found.createTooltip?.(frame)
  if (tooltip) frame.append(tooltip.root)
  keepEvents(root, keys)
  listenForPictures(root, keys.root, context)
  root.dataset.captureWheel = 'true'
  return {
    root, context,
    destroy() {
      for (const part of [canvas, tooltip, ...Object.values(parts)]) part?.destroy()
      notice.destroy()
    },
  }
}

/** A sentence over the canvas for what was refused; it goes by itself, or with a click. */
function createNotice() {
  const root = element('div', 'collage-notice')
  root.setAttribute('role', 'alert')
  root.hidden = true
  let timer = 0
  const hide = () => { root.hidden = true }
  root.addEventListener('click', hide)
  return {
    root,
    show(sentence) {
      clearTimeout(timer)
      root.textContent = sentence
      root.hidden = false
      timer = setTimeout(hide, NOTICE_TIME)
    },
    destroy: () => clearTimeout(timer),
  }
}

/** The overlay of a computed picture as a canvas; painted once for each picture and kind. */
function overlayPainter(model, kindNow) {
  const canvas = new OffscreenCanvas(1, 1)
  let painted = null
  return (composite) => {
    const kind = kindNow()
    if (kind === 'plain' || !found.overlayPixels) return null
    if (painted?.composite !== composite || painted.kind !== kind) {
      const { pixels, width, height } = found.overlayPixels(model, composite, kind)
      Object.assign(canvas, { width, height })
      canvas.getContext('2d').putImageData(new ImageData(pixels, width, height), 0, 0)
      painted = { composite, kind }
    }
    return canvas
  }
}

/**
 * Nothing that happens in the editor reaches the page: its keys would act on the graph, a drop would
 * make a node. A pointer that came from outside, with a link or a node, goes on to the page.
 */
function keepEvents(root, keys) {
  const stop = (event) => event.stopPropagation()
  for (const name of ['keyup', 'keypress', 'click', 'dblclick', 'auxclick', 'contextmenu', 'copy', 'cut', 'paste',
    'dragenter', 'dragover', 'dragleave', 'drop', 'dragstart']) root.addEventListener(name, stop)
  const inside = new Set()
  root.addEventListener('pointerdown', (event) => { inside.add(event.pointerId); stop(event) })
  root.addEventListener('pointermove', (event) => { if (inside.has(event.pointerId) || !event.buttons) stop(event) })
  for (const name of ['pointerup', 'pointercancel']) {
    root.addEventListener(name, (event) => { if (inside.delete(event.pointerId)) stop(event) })
  }
  root.addEventListener('mousedown', stop)
  root.addEventListener('keydown', (event) => {
    const ours = event.target === keys.root || event.target.closest('[data-collage-keys]')
    if (!keys.handle(event, Boolean(ours))) stop(event)
  })
}

function element(tag, name, ...children) {
  const made = document.createElement(tag)
  made.className = name
  made.append(...children.filter(Boolean))
  return made
}

/** The style sheets, once a page. */
function linkStyles() {
  for (const name of ['style.css', 'canvas.css']) {
    const href = new URL(name, import.meta.url).href
    if ([...document.styleSheets].some((sheet) => sheet.href === href) || document.querySelector(`link[href="${href}"]`)) continue
    document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href }))
  }
}

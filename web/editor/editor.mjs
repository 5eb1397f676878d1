// One view of a collage: toolbar, canvas, layers, controls, sentence and messages around one model.
import { ACTIONS } from './actions.mjs'
import { choosePicture, listenForPictures } from './adding.mjs'
import { createCanvasView } from './canvas_view.mjs'
import { createCutBar } from './cut_bar.mjs'
import { createCuts } from './cuts.mjs'
import { Display } from './display.mjs'
import { element } from './fields.mjs'
import { keepFocus } from './focus.mjs'
import { createKeys } from './keys.mjs'
import { openLarge } from './large_view.mjs'
import { createLayerControls } from './layer_controls.mjs'
import { createLayerList } from './layer_list.mjs'
import { createLivePicture } from './live_picture.mjs'
import { createLiveRegion, createMessages, createWelcome } from './messages.mjs'
import { createLegend, overlayPixels } from './overlays.mjs'
import { createPromptField } from './prompt_field.mjs'
import { createResultBar } from './result_bar.mjs'
import { createTexts } from './text/texts.mjs'
import { createToolbar } from './toolbar.mjs'
import { createTooltip } from './tooltip.mjs'

const NOTICE_TIME = 8000 // milliseconds
const STAGE = 300 // pixels of height that a canvas should have, its margin among them

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
    host,
    model,
    pictures,
    compositor,
    live,
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
  const frame = element('div', { class: 'collage-frame' })
  const root = element('div', { class: 'collage-editor', 'data-capture-wheel': 'true' }, frame)
  const region = createLiveRegion()
  const notice = createNotice()
  const context = createContext(session, { root, region, notice, large, leave })
  context.cuts = createCuts(context)
  const keys = createKeys(context)
  Object.assign(context, { keys: keys.root, focusCanvas: keys.focus, held: keys.held })
  const canvas = createCanvasView(context)
  const [toolbar, list, controls, cut, result, prompt, messages, legend, welcome] = [
    createToolbar,
    createLayerList,
    createLayerControls,
    createCutBar,
    createResultBar,
    createPromptField,
    createMessages,
    createLegend,
    createWelcome,
  ].map((create) => create(context))
  canvas.root.append(welcome.root, legend.root, notice.root)
  const side = element('div', { class: 'collage-side' }, list.root, controls.root)
  const middle = element('div', { class: 'collage-middle' }, canvas.root, side)
  const tooltip = createTooltip(frame)
  const bars = element('div', { class: 'collage-bars' }, cut.root, result.root)
  frame.append(toolbar.root, middle, bars, prompt.root, messages.root, region.root, tooltip.root)
  keepEvents(root, keys)
  listenForPictures(root, keys.root, context)
  const focus = keepFocus(root, context)
  const parts = [
    context.cuts,
    canvas,
    toolbar,
    list,
    controls,
    cut,
    result,
    prompt,
    messages,
    legend,
    welcome,
    tooltip,
    notice,
    focus,
  ]
  return { root, context, destroy: () => parts.forEach((part) => part.destroy()) }
}

/** What every part of a view is given. */
function createContext(session, { root, region, notice, large, leave }) {
  const { model } = session
  const text = createTexts(session.host.locale)
  const display = new Display()
  const say = (key, values) => region.say(text(key, values))
  const done = (name, changed) => {
    if (changed) say(`step.${name}`)
    else if (model.refusal) context.refuse('step.refused', { problem: model.refusal })
    return changed
  }
  const context = {
    ...session,
    display,
    large,
    leave,
    text,
    say,
    /** One step, by its name among the texts: it is said, and undo names it. */
    edit: (name, change) => done(name, model.edit(text(`step.${name}`), change)),
    commit: (name) => done(name, model.commit(text(`step.${name}`))),
    refuse: (key, values, how) => notice.show(text(key, values), how),
    tell: (key, values, how) => notice.show(text(key, values), { calm: true, ...how }),
    run: (name) => {
      if (ACTIONS[name].enabled(context)) ACTIONS[name].run(context)
    },
    /** Rows that have come make the node as high as everything in it needs; the large view scrolls. */
    makeRoom() {
      if (!large) session.host.grow?.(missing(root))
    },
    openLarge: () => openLarge(session, createEditor),
    choosePicture: (id) => choosePicture(context, id),
    hasFocus: () => large || root.contains(document.activeElement),
    overlay: overlayPainter(model, display),
  }
  return context
}

/** Pixels that the canvas is short of, and those of the settings that are out of sight. */
export function missing(root) {
  const [canvas, settings] = ['canvas', 'controls'].map((name) => root.querySelector(`.collage-${name}`))
  return Math.max(0, STAGE - canvas.clientHeight) + Math.max(0, settings.scrollHeight - settings.clientHeight)
}

/**
 * A sentence over the canvas, for what was refused or, calm, for news. It goes with a click, or by
 * itself, unless it stays.
 */
function createNotice() {
  const root = element('div', { class: 'collage-notice', role: 'alert', hidden: true })
  let timer = 0
  const hide = () => {
    root.hidden = true
  }
  root.addEventListener('click', hide)
  return {
    root,
    show(sentence, { calm = false, stays = false } = {}) {
      clearTimeout(timer)
      root.classList.toggle('collage-notice-calm', calm)
      root.textContent = sentence
      root.hidden = false
      if (!stays) timer = setTimeout(hide, NOTICE_TIME)
    },
    destroy: () => clearTimeout(timer),
  }
}

/** The overlay of a computed picture as a canvas; painted once for each picture and kind. */
function overlayPainter(model, display) {
  const canvas = new OffscreenCanvas(1, 1)
  let painted = null
  return (composite) => {
    const kind = display.overlay
    if (kind === 'plain') return null
    if (painted?.composite !== composite || painted.kind !== kind) {
      const { pixels, width, height } = overlayPixels(model, composite, kind)
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
  for (const name of [
    'keyup',
    'keypress',
    'dblclick',
    'auxclick',
    'contextmenu',
    'copy',
    'cut',
    'paste',
    'dragenter',
    'dragover',
    'dragleave',
    'drop',
    'dragstart',
  ])
    root.addEventListener(name, stop)
  root.addEventListener('click', (event) => {
    stop(event)
    // menus of the page close at a click elsewhere
    document.body.dispatchEvent(new MouseEvent('click', { bubbles: true }))
  })
  const inside = new Set()
  root.addEventListener('pointerdown', (event) => {
    inside.add(event.pointerId)
    keys.settle()
    stop(event)
  })
  root.addEventListener('pointermove', (event) => {
    if (inside.has(event.pointerId) || !event.buttons) stop(event)
  })
  for (const name of ['pointerup', 'pointercancel']) {
    root.addEventListener(name, (event) => {
      if (inside.delete(event.pointerId)) stop(event)
    })
  }
  root.addEventListener('mousedown', stop)
  root.addEventListener('keydown', (event) => {
    const ours = event.target === keys.root || event.target.closest('[data-collage-keys]')
    if (!keys.handle(event, Boolean(ours))) stop(event)
  })
}

/** The style sheets, once a page. */
function linkStyles() {
  for (const name of ['style.css', 'canvas.css']) {
    const href = new URL(name, import.meta.url).href
    if (
      [...document.styleSheets].some((sheet) => sheet.href === href) ||
      document.querySelector(`link[href="${href}"]`)
    )
      continue
    document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href }))
  }
}

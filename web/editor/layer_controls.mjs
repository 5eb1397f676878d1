// The settings of the chosen layers, or of the canvas where none is chosen.
import { createCanvasControls } from './canvas_controls.mjs'
import { setLayer } from './edits.mjs'
import { button, element } from './fields.mjs'
import { PLACE, createLayerFields, fillLooks, shownValue } from './layer_fields.mjs'
import { colourOf } from './overlays.mjs'

const PACE = 100 // milliseconds

/**
 * @param {object} context
 * @returns {{root: HTMLElement, destroy: function}}
 */
export function createLayerControls(context) {
  const { model, text } = context
  const layers = createLayerPanel(context)
  const canvas = createCanvasControls(context)
  const root = element(
    'section',
    { class: 'collage-controls', 'aria-label': text('controls') },
    layers.root,
    canvas.root,
  )
  function show() {
    layers.root.hidden = !model.primary
    canvas.root.hidden = Boolean(model.primary)
    if (model.primary) layers.show()
  }
  const paced = createPace(show)
  const end = model.subscribe(() => (model.drafting ? paced.later() : paced.now()))
  show()
  return {
    root,
    destroy() {
      end()
      paced.stop()
      canvas.destroy()
    },
  }
}

/** While the pointer is down the numbers follow it now and then: every frame is the canvas's. */
function createPace(show) {
  let timer = 0
  const stop = () => {
    clearTimeout(timer)
    timer = 0
  }
  const now = () => {
    stop()
    show()
  }
  const later = () => {
    timer ||= setTimeout(now, PACE)
  }
  return { now, later, stop }
}

function createLayerPanel(context) {
  const { model, host, text } = context
  const { sliders, others } = createLayerFields(context)
  const heading = createHeading(context)
  const column = (name, fields) =>
    element('div', { class: `collage-column ${name}` }, ...Object.values(fields).map((field) => field.root))
  const root = element(
    'div',
    { class: 'collage-panel' },
    heading.root,
    element(
      'div',
      { class: 'collage-columns' },
      column('collage-column-sliders', sliders),
      column('collage-column-fields', others),
    ),
  )

  let looks = []
  function askForLooks() {
    Promise.resolve(host.embeddings()).then(
      (names) => {
        looks = names
        if (model.primary) show()
      },
      () => {}, // without the list the looks that layers name are offered
    )
  }
  for (const event of ['pointerenter', 'focus']) others.look.input.addEventListener(event, askForLooks)

  function show() {
    const { document, chosen, primary } = model
    const layers = document.layers.filter((layer) => chosen.includes(layer.id))
    root.style.setProperty('--collage-colour', colourOf(model, primary.id))
    heading.show(layers)
    fillLooks(others.look, looks, layers, text)
    const locked = layers.every((layer) => layer.locked)
    for (const [name, field] of Object.entries({ ...sliders, ...others })) {
      const values = new Set(layers.map((layer) => shownValue(name, layer, document)))
      field.set(values.size === 1 ? [...values][0] : null, {
        disabled: (locked && PLACE.includes(name)) || (Boolean(document.edit) && name === 'noise'),
        note: document.edit ? text('noise.edit') : '',
        mixed: text('controls.mixed'),
        fallback: shownValue(name, primary, document),
      })
    }
  }
  askForLooks()
  return { root, show }
}

/** Which layers these are, and their two switches. */
function createHeading(context) {
  const { model, text } = context
  const toggle = (name) => () => {
    const value = !model.primary[name]
    context.edit(name, (document) =>
      model.chosen.reduce((next, id) => setLayer(next, id, { [name]: value }), document),
    )
  }
  const title = element('h3', { class: 'collage-title' })
  const eye = button({ icon: 'shown', label: text('layer.hide'), keys: 'H', onClick: toggle('visible') })
  const lock = button({ icon: 'unlocked', label: text('layer.lock'), keys: 'L', onClick: toggle('locked') })
  const spring = element('span', { class: 'collage-spring' })
  const root = element('header', { class: 'collage-heading' }, title, spring, eye.root, lock.root)
  function show(layers) {
    const { text: words, visible, locked } = model.primary
    const many = layers.length > 1
    title.textContent = many
      ? text('controls.many', { count: layers.length })
      : words.trim() || text('layer.unnamed')
    title.classList.toggle('collage-title-many', many)
    eye.set({ icon: visible ? 'shown' : 'hidden', label: text(visible ? 'layer.hide' : 'layer.show') })
    lock.set({ icon: locked ? 'locked' : 'unlocked', label: text(locked ? 'layer.unlock' : 'layer.lock') })
  }
  return { root, show }
}

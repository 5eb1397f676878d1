// The bar under the canvas that cuts out the picture of the chosen layer.
import { button, element, slider } from './fields.mjs'
import { icon } from './icons.mjs'

/**
 * @param {object} context
 * @returns {{root: HTMLElement, destroy: function}}
 */
export function createCutBar(context) {
  const { cuts, model, text } = context
  const title = createTitle(text)
  const ways = createWays(context)
  const ground = createGround(context)
  const polygon = createPolygonRow(context)
  const working = element('span', { class: 'collage-cut-hint', textContent: text('cut.working') })
  const close = button({
    icon: 'missing',
    label: text('cut.close'),
    keys: 'X',
    onClick: () => leave(cuts.close),
  })
  const root = element(
    'div',
    { class: 'collage-cut', role: 'group', 'aria-label': text('cut') },
    title.root,
    ways.root,
    ground.root,
    polygon.root,
    working,
    close.root,
  )

  function leave(what) {
    what()
    context.focusCanvas()
  }

  function show() {
    const { open, way, busy } = cuts.state
    const was = root.hidden
    root.hidden = !open
    if (!open) return
    title.show(way || 'cut', model.primary)
    close.root.hidden = way !== ''
    ways.root.hidden = busy || way !== ''
    ground.root.hidden = busy || way !== 'ground'
    polygon.root.hidden = busy || way !== 'polygon'
    working.hidden = !busy
    ways.show()
    ground.show()
    polygon.show()
    if (was) ways.focus()
  }
  const ends = [cuts.subscribe(show), model.subscribe(show)]
  show()
  return { root, destroy: () => ends.forEach((end) => end()) }
}

/** What is done, or that a layer has to be chosen first. */
function createTitle(text) {
  const words = element('span')
  const root = element('h3', { class: 'collage-cut-title' }, icon('cut'), words)
  function show(name, layer) {
    words.textContent = text(layer ? name : 'cut.choose')
    root.querySelector('svg').replaceWith(icon(name))
  }
  return { root, show }
}

function createWays({ cuts, text }) {
  const make = (name, onClick, look = { icon: name, weight: 'quiet' }) =>
    button({ ...look, words: text(name), label: text(name), tip: text(`${name}.tip`), onClick })
  const buttons = {
    trim: make('trim', () => cuts.apply('trim')),
    ground: make('ground', () => cuts.begin('ground')),
    polygon: make('polygon', () => cuts.begin('polygon')),
    again: make('again', () => cuts.again(), { icon: 'undo' }),
  }
  const root = element('span', { class: 'collage-cut-row' }, ...Object.values(buttons).map((one) => one.root))
  function show() {
    const layer = cuts.ready()
    for (const one of Object.values(buttons)) one.set({ disabled: !layer })
    buttons.again.set({ disabled: !layer?.from })
    buttons.again.root.hidden = !layer?.from
  }
  return { root, show, focus: () => root.querySelector('input:enabled')?.focus() }
}

const choices = ({ cuts, text }, apply) => [
  button({
    words: text('cut.apply'),
    label: text('cut.apply'),
    keys: 'Enter',
    weight: 'main',
    onClick: apply,
  }),
  button({
    words: text('cut.cancel'),
    label: text('cut.cancel'),
    keys: 'Escape',
    weight: 'quiet',
    onClick: () => cuts.end(),
  }),
]

function createGround(context) {
  const { cuts, text } = context
  const tolerance = slider({
    label: text('tolerance'),
    tip: text('tolerance.tip'),
    min: 0,
    max: 100,
    reach: 60,
    step: 1,
    onDraft: (value) => cuts.set({ tolerance: value }),
    onCommit: (value) => cuts.set({ tolerance: value }),
  })
  const buttons = choices(context, () => cuts.finish())
  const roots = [tolerance, ...buttons].map((one) => one.root)
  const root = element('span', { class: 'collage-cut-row' }, ...roots)
  let was = ''
  function show() {
    const { way } = cuts.state
    tolerance.set(cuts.state.tolerance)
    if (way === 'ground' && was !== way) tolerance.input.focus()
    was = way
  }
  return { root, show }
}

function createPolygonRow(context) {
  const { cuts, text } = context
  const make = (name, keep) =>
    button({ words: text(name), label: text(name), onClick: () => cuts.set({ keep }) })
  const [inside, outside] = [make('cut.inside', true), make('cut.outside', false)]
  const kind = { class: 'collage-group collage-segments', role: 'group' }
  const segments = element('span', kind, inside.root, outside.root)
  const hint = element('span', { class: 'collage-cut-hint' })
  const [apply, cancel] = choices(context, () => cuts.finish())
  const root = element('span', { class: 'collage-cut-row' }, hint, segments, apply.root, cancel.root)
  function show() {
    const { keep } = cuts.state
    inside.set({ pressed: keep })
    outside.set({ pressed: !keep })
    const closes = cuts.points() > 2
    hint.textContent = text(closes ? 'cut.hintClose' : 'cut.hint')
    apply.set({ disabled: !closes })
  }
  return { root, show }
}

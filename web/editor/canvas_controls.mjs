// The settings of the canvas: its size and the colour where no layer is.
import { choice, colourField } from './choices.mjs'
import { setCanvas } from './edits.mjs'
import { button, element, numberField } from './fields.mjs'
import { CELL, SIDES } from './rules.mjs'

const SIZES = [
  '512x512',
  '768x768',
  '1024x1024',
  '768x512',
  '512x768',
  '1216x832',
  '832x1216',
  '1344x768',
  '768x1344',
]

/**
 * @param {object} context
 * @returns {{root: HTMLElement, destroy: function}}
 */
export function createCanvasControls(context) {
  const { model, text } = context
  const size = (fields) => context.edit('canvas', (document) => setCanvas(document, fields))
  const side = (name) =>
    numberField({
      label: text(name),
      tip: text(`${name}.tip`),
      unit: 'px',
      min: SIDES[0],
      max: SIDES[1],
      step: CELL,
      decimals: 0,
      onDraft: (value) => model.draft((document) => setCanvas(document, { [name]: value })),
      onCommit: (value) => {
        if (!size({ [name]: value })) show()
      },
    })
  const width = side('width')
  const height = side('height')
  const swap = button({
    icon: 'swap',
    label: text('swap'),
    onClick: () => size({ width: model.document.height, height: model.document.width }),
  })
  const own = { value: '', label: text('sizes.own') }
  const sizes = choice({
    label: text('sizes'),
    options: [own, ...SIZES.map((value) => ({ value, label: value.replace('x', ' × ') }))],
    onCommit(value) {
      const [wide, high] = value.split('x').map(Number)
      if (wide && high) size({ width: wide, height: high })
    },
  })
  const colour = (background) => (document) => setCanvas(document, { background })
  const background = colourField({
    label: text('background'),
    tip: text('background.tip'),
    onDraft: (value) => model.draft(colour(value)),
    onCommit: (value) => context.edit('background', colour(value)),
  })
  const hint = element('p', { class: 'collage-none', textContent: text('controls.hint') })
  const root = element(
    'div',
    { class: 'collage-panel' },
    element(
      'header',
      { class: 'collage-heading' },
      element('h3', { class: 'collage-title-plain', textContent: text('canvas') }),
    ),
    element(
      'div',
      { class: 'collage-canvas-fields' },
      width.root,
      swap.root,
      height.root,
      sizes.root,
      background.root,
    ),
    hint,
  )

  function show() {
    if (model.primary) return // the settings of the layer are in its place
    const { document } = model
    width.set(document.width)
    height.set(document.height)
    const known = `${document.width}x${document.height}`
    sizes.set(SIZES.includes(known) ? known : '')
    background.set(document.background)
    hint.hidden = !document.layers.length
  }
  const end = model.subscribe(show)
  show()
  return { root, destroy: end }
}

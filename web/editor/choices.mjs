// Fields of the editor's panels for one of several options, and for a colour.
import { createTyping, describe, element, newElementId, ownKeys } from './fields.mjs'
import { icon } from './icons.mjs'

/** A choice among options [{value, label}]. */
export function choice({ label, tip = '', options, onCommit }) {
  const id = newElementId()
  const select = element('select', { id, class: 'collage-select' })
  const root = element(
    'span',
    { class: 'collage-field' },
    element('label', { htmlFor: id, textContent: label }),
    element('span', { class: 'collage-select-box' }, select, icon('down')),
  )
  describe(root, { label, tip })
  if (tip) select.setAttribute('aria-description', tip)
  select.addEventListener('change', () => onCommit(select.value))
  select.addEventListener('keydown', (event) => event.stopPropagation())
  const fill = (items) =>
    select.replaceChildren(
      ...items.map(({ value, label: text }) => element('option', { value, textContent: text })),
    )
  const set = (value, { disabled = false, mixed = '' } = {}) => {
    select.querySelector('[data-mixed]')?.remove()
    if (value === null)
      select.prepend(element('option', { value: '\0', textContent: mixed, disabled: true, 'data-mixed': '' }))
    select.value = value ?? '\0'
    select.disabled = disabled
  }
  fill(options)
  return { root, input: select, set, fill }
}

/** A colour by the browser's own chooser and by its letters. */
export function colourField({ label, tip = '', onDraft, onCommit }) {
  const id = newElementId()
  const chooser = element('input', { type: 'color', class: 'collage-colour', 'aria-label': label })
  const written = element('input', {
    id,
    type: 'text',
    class: 'collage-number',
    autocomplete: 'off',
    spellcheck: false,
    maxLength: 9,
  })
  const root = element(
    'span',
    { class: 'collage-field' },
    element('label', { htmlFor: id, textContent: label }),
    element('span', { class: 'collage-colour-box' }, chooser, written),
  )
  describe(root, { label, tip })
  const typing = createTyping(written)
  let value = '#969696'
  const show = () => {
    typing.end()
    chooser.value = written.value = value
  }
  chooser.addEventListener('input', () => onDraft(chooser.value))
  chooser.addEventListener('change', () => onCommit(chooser.value))
  written.addEventListener('change', () => {
    const colour = readColour(written.value)
    if (colour && colour !== value) onCommit(colour)
    else show()
  })
  ownKeys(written, show)
  const set = (next) => {
    value = readColour(next) || value
    if (!typing.now()) show()
  }
  return { root, input: chooser, set }
}

/** '#rrggbb' of '#RGB', 'rrggbb' and the like; '' of anything else. */
export function readColour(text) {
  const letters = /^\s*#?([0-9a-f]{3}|[0-9a-f]{6})\s*$/i.exec(text)?.[1].toLowerCase()
  if (!letters) return ''
  return `#${letters.length === 3 ? [...letters].map((one) => one + one).join('') : letters}`
}

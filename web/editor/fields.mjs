// What the editor's panels are made of: buttons, number fields and sliders.
import { createHeld } from './held.mjs'
import { icon } from './icons.mjs'
import { LONGEST_TEXT } from './rules.mjs'

let made = 0

/** An element with properties, attributes (with a hyphen, or role) and children. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'class') node.className = value
    else if (name.includes('-') || name === 'role') node.setAttribute(name, value)
    else node[name] = value
  }
  node.append(...children.filter((child) => child !== null && child !== undefined))
  return node
}

/** An id for labels, unique on the page. */
export const newElementId = () => `collage-${(made += 1)}`

/**
 * A button with an icon. The page takes Ctrl+Z from everything but fields, so what is focused is an
 * INPUT over the icon.
 * @param {{icon?: string, label: string, words?: string, tip?: string, keys?: string,
 *   weight?: 'main' | 'quiet', onClick: function}} options weight: filled, or with a line around it
 * @returns {{root: HTMLElement, input: HTMLInputElement, set: function}}
 */
export function button({ icon: name, label, words = '', tip = '', keys = '', weight, onClick }) {
  const input = element('input', { type: 'button', value: '', 'aria-label': label, 'data-collage-keys': '' })
  const root = element('span', { class: `collage-button${words ? ' collage-button-wide' : ''}` }, input)
  if (name) root.append(icon(name))
  if (words) root.append(element('span', { class: 'collage-button-words', textContent: words }))
  if (weight) root.classList.add(`collage-button-${weight}`)
  describe(root, { label, tip, keys })
  if (tip) input.setAttribute('aria-description', tip)
  if (keys) input.setAttribute('aria-keyshortcuts', keys.replaceAll('Ctrl+', 'Control+'))
  input.addEventListener('click', onClick)
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === ' ') event.stopPropagation()
  })
  const set = ({ pressed, disabled, icon: other, label: named }) => {
    if (pressed !== undefined) input.setAttribute('aria-pressed', String(pressed))
    if (disabled !== undefined) input.disabled = disabled
    if (other) root.querySelector('svg').replaceWith(icon(other))
    if (named) {
      input.setAttribute('aria-label', named)
      root.dataset.collageTip = named
    }
  }
  return { root, input, set }
}

/** What the tooltip of an element says: a title, a sentence, the keys. */
export function describe(node, { label, tip = '', keys = '' }) {
  node.dataset.collageTip = label
  if (tip) node.dataset.collageMore = tip
  if (keys) node.dataset.collageShortcut = keys
}

/** Keeps what is typed into a field from the editor's keys, and ends it with Enter or Escape. */
export function ownKeys(input, reset) {
  input.addEventListener('keydown', (event) => {
    const runs = event.key === 'Enter' && (event.ctrlKey || event.metaKey) // Ctrl+Enter is the page's
    if (!runs) event.stopPropagation()
    if (event.isComposing) return
    if (event.key === 'Escape') reset()
    if (event.key === 'Enter') input.dispatchEvent(new Event('change'))
  })
}

/**
 * Whether a field holds what was typed and not entered yet: a refresh of the panel leaves that alone.
 * @returns {{now: function(): boolean, end: function}}
 */
export function createTyping(input) {
  let typing = false
  const end = () => (typing = false)
  input.addEventListener('input', () => (typing = true))
  for (const name of ['change', 'blur']) input.addEventListener(name, end)
  return { now: () => typing, end }
}

/**
 * Keeps a field of words within what Python reads. What would be too much is left out whole, and
 * `refuse` tells so: cut off by `maxLength`, it would be lost without a word.
 */
export function limitWords(input, refuse) {
  input.addEventListener('beforeinput', (event) => {
    const put = event.data ?? event.dataTransfer?.getData('text/plain') ?? ''
    const kept = input.value.length - (input.selectionEnd - input.selectionStart)
    if (kept + put.length <= LONGEST_TEXT || !put) return
    event.preventDefault()
    refuse('text.long', { most: LONGEST_TEXT, count: put.length })
  })
}

const shownNumber = (value, decimals) => String(Number(value.toFixed(decimals)))

/**
 * A field for one number, with its unit inside. `onCommit(number)` once it is entered, `onDraft` at
 * every repeat of an arrow.
 * @param {{label: string, tip?: string, unit?: string, min: number, max: number, step: number,
 *   decimals?: number, inside?: boolean, onDraft: function, onCommit: function}} options inside: the label is in the field
 */
export function numberField({
  label,
  tip = '',
  unit = '',
  min,
  max,
  step,
  decimals = 2,
  inside = false,
  onDraft,
  onCommit,
}) {
  const id = newElementId()
  const input = element('input', {
    id,
    type: 'text',
    class: 'collage-number',
    autocomplete: 'off',
    spellcheck: false,
  })
  input.inputMode = 'decimal'
  input.setAttribute('role', 'spinbutton')
  input.setAttribute('aria-valuemin', min)
  input.setAttribute('aria-valuemax', max)
  const root = element(
    'span',
    { class: `collage-field${inside ? ' collage-field-inside' : ''}` },
    element('label', { htmlFor: id, textContent: label }),
    element(
      'span',
      { class: 'collage-number-box' },
      input,
      unit ? element('span', { class: 'collage-unit', textContent: unit }) : null,
    ),
  )
  describe(root, { label, tip })
  if (tip) input.setAttribute('aria-description', tip)
  const typing = createTyping(input)
  let value = null
  const show = () => {
    typing.end()
    input.value = value === null ? '' : shownNumber(value, decimals)
    if (value === null) input.removeAttribute('aria-valuenow')
    else input.setAttribute('aria-valuenow', value)
  }
  const within = (number) => Math.min(max, Math.max(min, number))
  const enter = (number) => {
    if (!Number.isFinite(number)) return show()
    const next = within(number)
    if (value !== null && shownNumber(next, decimals) === shownNumber(value, decimals)) return show()
    onCommit(next)
  }
  const held = createHeld()
  input.addEventListener('focus', () => input.select())
  input.addEventListener('change', () => enter(parseNumber(input.value)))
  input.addEventListener('keydown', (event) => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key]
    if (!by) return
    event.preventDefault()
    const typed = parseNumber(input.value)
    const from = Number.isFinite(typed) ? typed : (value ?? 0)
    const next = within(from + by * step * (event.shiftKey ? 10 : 1))
    onDraft(next)
    input.value = shownNumber(next, decimals) // what is shown follows drafts only now and then
    input.select()
    held.later(input, () => onCommit(next))
  })
  ownKeys(input, () => {
    show()
    input.select()
  })
  const set = (next, { disabled = false, mixed = '' } = {}) => {
    value = next
    input.disabled = disabled
    input.placeholder = mixed
    if (!typing.now()) show()
  }
  return { root, input, set }
}

/** A field for words; `onCommit(text)` once they are entered, `refuse` as `limitWords` has it. */
export function wordsField({ label, tip = '', onCommit, refuse }) {
  const id = newElementId()
  const input = element('input', { id, type: 'text', class: 'collage-number', autocomplete: 'off' })
  limitWords(input, refuse)
  const root = element(
    'span',
    { class: 'collage-field collage-field-words' },
    element('label', { htmlFor: id, textContent: label }),
    element('span', { class: 'collage-number-box' }, input),
  )
  describe(root, { label, tip })
  if (tip) input.setAttribute('aria-description', tip)
  const typing = createTyping(input)
  let value = ''
  const show = () => {
    typing.end()
    input.value = value ?? ''
  }
  input.addEventListener('change', () => {
    const words = input.value.trim()
    if (words === value || (value === null && !words)) show()
    else onCommit(words)
  })
  ownKeys(input, show)
  const set = (next, { mixed = '' } = {}) => {
    value = next
    input.placeholder = next === null ? mixed : ''
    if (!typing.now()) show()
  }
  return { root, input, set }
}

/** A number as people write it: with a comma too, and with a unit behind it. */
export function parseNumber(text) {
  const match = /^\s*([+-]?(?:\d+[.,]?\d*|[.,]\d+))\s*(?:px|%|°)?\s*$/.exec(text)
  return match ? Number(match[1].replace(',', '.')) : NaN
}

/**
 * A slider with a field for the exact number beside it. `onDraft` while it moves, `onCommit` after.
 * `reach`: where the slider ends, when the field goes further.
 */
export function slider({ label, tip = '', min, max, reach = max, step, hint, onDraft, onCommit }) {
  const id = newElementId()
  const range = element('input', {
    id,
    type: 'range',
    min,
    max: reach,
    step,
    class: 'collage-range',
    'data-collage-keys': '',
  })
  const field = numberField({ label, min, max, step, onDraft, onCommit })
  field.root.querySelector('label').remove()
  field.root.classList.add('collage-slider-number')
  field.input.setAttribute('aria-label', label)
  delete field.root.dataset.collageTip
  const said = hint ? element('span', { class: 'collage-hint' }) : null
  const root = element(
    'div',
    { class: 'collage-slider' },
    element('label', { htmlFor: id, textContent: label }),
    range,
    field.root,
    said,
  )
  describe(root, { label, tip })
  if (tip) range.setAttribute('aria-description', tip)
  const show = (value) => {
    range.style.setProperty('--collage-part', `${((Math.min(value, reach) - min) / (reach - min)) * 100}%`)
    if (hint) range.setAttribute('aria-valuetext', `${value}: ${(said.textContent = hint(value))}`)
  }
  range.addEventListener('input', () => {
    show(range.valueAsNumber)
    onDraft(range.valueAsNumber)
  })
  const held = createHeld()
  let byKey = false
  range.addEventListener('change', () => {
    const at = range.valueAsNumber
    if (byKey) held.later(range, () => onCommit(at))
    else onCommit(at)
  })
  // arrows and paging keys belong to the slider, all others to the editor
  range.addEventListener('keydown', (event) => {
    byKey = /^(Arrow|Page|Home|End)/.test(event.key)
    if (byKey) event.stopPropagation()
  })
  for (const name of ['keyup', 'pointerdown']) range.addEventListener(name, () => (byKey = false))
  const set = (value, { disabled = false, mixed = '', note = '', fallback = min } = {}) => {
    const at = value ?? fallback
    if (range.valueAsNumber !== at) range.value = at
    range.disabled = disabled
    root.classList.toggle('collage-mixed', value === null)
    show(at)
    if (said && (note || value === null)) said.textContent = note || mixed
    field.set(value, { disabled, mixed: '–' })
  }
  return { root, input: range, set }
}

// One row of the layer list.
import { button, describe, element, limitWords } from './fields.mjs'
import { icon } from './icons.mjs'
import { marksIn } from './marks.mjs'
import { colourOf } from './overlays.mjs'

const SAID = {
  found: 'layer.found',
  missing: 'layer.missing',
  crossing: 'layer.missing',
  empty: 'layer.empty',
}
const SIDE = 64 // pixels of a thumbnail, shown at half the size

/**
 * @param {object} context
 * @param {string} id the layer's
 * @param {object} parts what the list does: choose, toggleVisible, toggleLocked, rename, focus
 */
export function createLayerRow(context, id, parts) {
  const { model, pictures, text } = context
  const input = element('input', {
    type: 'checkbox',
    class: 'collage-row-input',
    role: 'option',
    'data-collage-keys': '',
  })
  const thumb = element('canvas', { class: 'collage-thumb', width: SIDE, height: SIDE })
  const words = element('span', { class: 'collage-row-words' })
  const mark = element('span', { class: 'collage-mark' })
  const eye = pointerButton('shown', () => parts.toggleVisible(id))
  const lock = pointerButton('unlocked', () => parts.toggleLocked(id))
  const root = element(
    'li',
    { class: 'collage-row', role: 'presentation', 'data-layer': id },
    input,
    element('span', { class: 'collage-thumb-box', 'data-collage-grip': '' }, thumb),
    words,
    mark,
    eye.root,
    lock.root,
  )
  let layer = null
  let drawn = null

  input.addEventListener('click', (event) => {
    event.preventDefault()
    if (event.detail) parts.choose(id, { add: event.ctrlKey || event.metaKey, range: event.shiftKey })
  })
  input.addEventListener('dblclick', startRename)

  function startRename() {
    if (root.querySelector('.collage-rename')) return
    const field = renameField(context, layer.text, (words) => {
      if (field.contains(document.activeElement)) input.focus()
      field.remove()
      if (words !== null && words !== layer.text) parts.rename(id, words)
    })
    root.append(field)
    field.focus()
    field.select()
  }

  function show(next, { index, count, chosen, stop }) {
    layer = next
    const state = marksIn(context).states.get(id) // none for a hidden layer
    root.classList.toggle('collage-chosen', chosen)
    root.classList.toggle('collage-row-hidden', !layer.visible)
    root.classList.toggle('collage-row-locked', layer.locked)
    root.style.setProperty('--collage-colour', colourOf(model, id))
    input.checked = chosen
    input.tabIndex = stop ? 0 : -1
    input.setAttribute('aria-selected', chosen)
    input.setAttribute('aria-posinset', index + 1)
    input.setAttribute('aria-setsize', count)
    words.textContent = layer.text.trim() || text('layer.unnamed')
    words.classList.toggle('collage-unnamed', !layer.text.trim())
    const said = SAID[state]
    const about = [
      layer.text.trim() || text('layer.number', { number: count - index }),
      said && text(said),
      !layer.visible && text('layer.hidden'),
      layer.locked && text('layer.locked'),
    ]
    input.setAttribute('aria-label', about.filter(Boolean).join(', '))
    const more = said && state !== 'empty' ? `${capital(text(said))}\n` : ''
    describe(root, { label: layer.text.trim() || text('layer.unnamed'), tip: more + text('layer.rename') })
    mark.className = `collage-mark collage-mark-${state ?? 'none'}`
    mark.replaceChildren(...(state ? [icon(state === 'found' ? 'found' : 'missing')] : []))
    eye.set({
      icon: layer.visible ? 'shown' : 'hidden',
      label: text(layer.visible ? 'layer.hide' : 'layer.show'),
    })
    lock.set({
      icon: layer.locked ? 'locked' : 'unlocked',
      label: text(layer.locked ? 'layer.unlock' : 'layer.lock'),
    })
    draw()
  }

  function draw() {
    const { state } = pictures.get(layer.picture)
    const key = `${layer.picture} ${state}`
    if (key === drawn) return
    drawn = key
    root.classList.toggle('collage-broken', state === 'missing' || state === 'wrong')
    root.classList.toggle('collage-loading', state === 'loading')
    const pen = thumb.getContext('2d')
    pen.clearRect(0, 0, SIDE, SIDE)
    if (state !== 'ready') return
    const small = pictures.thumbnail(layer.picture, SIDE)
    const scale = SIDE / Math.max(small.width, small.height)
    const [width, height] = [small.width * scale, small.height * scale]
    pen.drawImage(small, (SIDE - width) / 2, (SIDE - height) / 2, width, height)
  }

  return { root, input, show, startRename }
}

/** The field in which a row's words are changed; done(words) once, or done(null) after Escape. */
function renameField({ text, refuse }, value, done) {
  const field = element('input', {
    type: 'text',
    class: 'collage-rename',
    value,
    'aria-label': text('layer.words'),
    spellcheck: false,
    autocomplete: 'off',
  })
  limitWords(field, refuse)
  let ended = false
  const end = (words) => {
    if (ended) return
    ended = true
    done(words)
  }
  field.addEventListener('keydown', (event) => {
    event.stopPropagation()
    if (event.isComposing) return
    if (event.key === 'Enter') end(field.value.trim())
    if (event.key === 'Escape') end(null)
  })
  field.addEventListener('blur', () => end(field.value.trim()))
  return field
}

const capital = (sentence) => sentence[0].toUpperCase() + sentence.slice(1)

/** Eye and lock are for the pointer; by keys they are H and L, which the row's name tells. */
function pointerButton(name, onClick) {
  const made = button({ icon: name, label: '', onClick })
  made.root.setAttribute('aria-hidden', 'true')
  made.root.classList.add(`collage-row-${name === 'shown' ? 'eye' : 'lock'}`)
  made.input.tabIndex = -1
  return made
}

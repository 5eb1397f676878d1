// The scene sentence: a plain text field over a mirror of itself, in which the phrases of layers are chips.
import { setLayer, setPrompt } from './edits.mjs'
import { describe, element, limitWords, newElementId } from './fields.mjs'
import { marksIn, marksOf, unlessMoved } from './marks.mjs'
import { colourOf } from './overlays.mjs'
import { changeOf, renamedBy } from './typing.mjs'

/**
 * The text field is a real one: caret, IME, paste, undo and screen readers are the browser's.
 * @param {object} context
 * @returns {{root: HTMLElement, destroy: function}}
 */
export function createPromptField(context) {
  const { model, host, text, say } = context
  const id = newElementId()
  const field = element('textarea', {
    id,
    class: 'collage-sentence',
    rows: 2,
    spellcheck: true,
    placeholder: text('sentence.placeholder'),
    'aria-description': text('sentence.tip'),
  })
  const mirror = element('div', { class: 'collage-mirror', 'aria-hidden': 'true' })
  const label = element('label', { htmlFor: id, textContent: text('sentence') })
  const heading = element('header', { class: 'collage-heading' }, label)
  describe(heading, { label: text('sentence'), tip: text('sentence.tip') })
  const root = element(
    'section',
    { class: 'collage-prompt' },
    heading,
    element('div', { class: 'collage-sentence-box' }, mirror, field),
  )
  let composing = false

  /** What is typed is a draft until the field is left or Enter is pressed. */
  function typed() {
    if (composing || field.disabled || field.value === model.document.prompt) return
    const before = model.document.prompt
    const change = changeOf(before, field.value, field.selectionStart)
    const renamed = renamedBy(before, marksOf(model.document).places, change)
    model.draft((document) => {
      const next = setPrompt(document, field.value)
      return renamed
        ? renamed.ids.reduce((all, one) => setLayer(all, one, { text: renamed.text }), next)
        : next
    })
  }

  function commit() {
    typed()
    if (model.drafting) context.commit('sentence')
  }

  /** While another node gives the sentence, the field is empty and says so; the document keeps its own. */
  function show() {
    const linked = host.links?.has('prompt') ?? false
    field.disabled = linked
    field.placeholder = text(linked ? 'sentence.linked' : 'sentence.placeholder')
    const wanted = linked ? '' : model.document.prompt
    if (field.value !== wanted && !composing) take(wanted)
    paint()
  }

  /** Another sentence, with the caret where it was in the text that stays. */
  function take(value) {
    if (field !== document.activeElement) {
      field.value = value
      return
    }
    const { selectionStart } = field
    const { start, end, text: put } = changeOf(field.value, value)
    field.value = value
    const caret =
      selectionStart <= start
        ? selectionStart
        : Math.max(start + put.length, selectionStart + put.length - (end - start))
    field.setSelectionRange(caret, caret)
  }

  function paint() {
    const { value } = field
    const { places } = composing ? { places: [] } : marksIn(context)
    mirror.replaceChildren(
      ...pieces(value, value === model.document.prompt ? places : []).map((piece) => chipOf(model, piece)),
      '\u200b',
    )
    scrolled()
  }

  function scrolled() {
    mirror.scrollTop = field.scrollTop
    mirror.scrollLeft = field.scrollLeft
  }

  /** A click on a chip chooses its layer; dragging over it marks text as ever. */
  function clicked() {
    if (field.selectionStart !== field.selectionEnd) return
    const at = field.selectionStart
    const place = marksOf(model.document)
      .places.filter(({ start, end }) => start <= at && at < end)
      .sort((a, b) => a.end - a.start - (b.end - b.start))[0]
    if (!place || place.ids.every((one) => model.chosen.includes(one))) return
    model.choose(place.ids)
    if (place.ids.length > 1) say('said.many', { count: place.ids.length })
    else say('said.chosen', { layer: model.primary.text })
  }

  function onKey(event) {
    const runs = event.key === 'Enter' && (event.ctrlKey || event.metaKey) // Ctrl+Enter is the page's
    if (!runs) event.stopPropagation()
    if (event.isComposing) return
    if (event.key === 'Enter' && !event.shiftKey) {
      commit()
      if (!runs) event.preventDefault()
    }
    if (event.key === 'Escape') {
      model.cancel()
      context.focusCanvas() // not to the page, which would take the next key
    }
  }

  const listeners = {
    input: typed,
    change: commit,
    blur: commit,
    scroll: scrolled,
    click: clicked,
    keydown: onKey,
    compositionstart: () => {
      composing = true
      paint()
    },
    compositionend: () => {
      composing = false
      typed()
      paint()
    },
  }
  for (const [name, listener] of Object.entries(listeners)) field.addEventListener(name, listener)
  limitWords(field, context.refuse)
  const ends = [model.subscribe(unlessMoved(model, show)), host.links?.subscribe(show) ?? (() => {})]
  show()
  return { root, destroy: () => ends.forEach((end) => end()) }
}

/** A piece of the sentence as it lies behind the field: marked in the colour of its layer, or plain. */
function chipOf(model, { text, place, first, last, room: [before, behind] }) {
  if (!place) return text
  const chosen = place.ids.findIndex((id) => model.chosen.includes(id))
  const colours = place.ids.map((id) => colourOf(model, id))
  const parts = colours.map(
    (colour, i) => `${colour} ${(i / colours.length) * 100}% ${((i + 1) / colours.length) * 100}%`,
  )
  const looks = {
    chosen: chosen >= 0,
    first,
    last,
    before: first && before,
    behind: last && behind,
  }
  const names = Object.keys(looks).filter((name) => looks[name])
  const kind = ['collage-chip', ...names.map((name) => `collage-chip-${name}`)].join(' ')
  const chip = element('span', { class: kind, textContent: text })
  chip.style.setProperty('--collage-colour', colours[Math.max(0, chosen)])
  chip.style.setProperty('--collage-underline', `linear-gradient(to right, ${parts.join(', ')})`)
  return chip
}

/** A text cut at the edges of places; a place inside another one shows its own colour. */
export function pieces(value, places) {
  const edges = [...new Set([0, value.length, ...places.flatMap(({ start, end }) => [start, end])])].sort(
    (a, b) => a - b,
  )
  return edges.slice(0, -1).map((start, i) => {
    const end = edges[i + 1]
    const around = places.filter((place) => place.start <= start && end <= place.end)
    const place = around.sort((a, b) => a.end - a.start - (b.end - b.start))[0] ?? null
    return {
      text: value.slice(start, end),
      place,
      first: place?.start === start,
      last: place?.end === end,
      // a chip is wider than its words where there is room for it: it covers no comma
      room: [start - 1, end].map((at) => /^\s?$/.test(value.charAt(at))),
    }
  })
}

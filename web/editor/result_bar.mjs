// The bar under a result that is shown on the canvas: which one, and going on from it.
import { stored } from './adding.mjs'
import { choice } from './choices.mjs'
import { button, element, numberField } from './fields.mjs'
import { colourOf } from './overlays.mjs'
import { beginEdit, endEdit, setEdit, toggleEdited } from './result_edits.mjs'

/** Results of the nodes behind this editor, newest first; else the base of the edit that goes on. */
export function resultsOf({ host, model, text }) {
  const found = host.results?.list() ?? []
  const { edit, width, height } = model.document
  if (found.length || !edit) return found
  return [{ url: host.viewUrl(edit.picture), title: text('result.base'), width, height }]
}

/**
 * @param {object} context
 * @returns {{root: HTMLElement, destroy: function}}
 */
export function createResultBar(context) {
  const { model, display, host, text, say } = context
  const which = choice({
    label: text('result'),
    options: [],
    onCommit: (url) => display.set({ result: resultsOf(context).find((one) => one.url === url) }),
  })
  const go = button({ words: ' ', label: ' ', onClick: () => goOn(context) })
  const edited = element('div', { class: 'collage-edited' })
  const noise = numberField({
    label: text('noise'),
    inside: true,
    min: 0,
    max: 1,
    step: 0.05,
    onCommit: (value) => context.edit('edit', (document) => setEdit(document, { noise: value })),
  })
  const end = button({ words: text('result.end'), label: text('result.end'), onClick: () => finish(context) })
  const editing = element('div', { class: 'collage-result-row' }, edited, noise.root, end.root)
  const row = element('div', { class: 'collage-result-row' }, which.root, go.root)
  const root = element(
    'div',
    { class: 'collage-result', role: 'group', 'aria-label': text('result') },
    row,
    editing,
  )

  function show() {
    const { result } = display
    const { edit, width, height } = model.document
    root.hidden = !result && !edit
    row.hidden = !result
    editing.hidden = !edit
    if (result) {
      which.fill(resultsOf(context).map(({ url, title }, i) => ({ value: url, label: `${i + 1}. ${title}` })))
      which.set(result.url)
      const fits = result.width === width && result.height === height
      const label = text(fits ? (edit ? 'result.again' : 'result.edit') : 'result.size', { width, height })
      go.set({ disabled: !fits, label })
      go.root.querySelector('.collage-button-words').textContent = label
    }
    if (!edit) return
    noise.set(edit.noise)
    const shown = model.document.layers.filter((layer) => layer.visible).reverse()
    edited.replaceChildren(element('span', { textContent: text('result.repaints') }), ...shown.map(chip))
  }

  function chip(layer) {
    const label = layer.text.trim() || text('layer.unnamed')
    const change = () => context.edit('edit', (document) => toggleEdited(document, layer.id))
    const made = button({ words: label, label, onClick: change })
    made.root.classList.add('collage-edited-layer')
    made.root.style.setProperty('--collage-colour', colourOf(model, layer.id))
    made.set({ pressed: model.document.edit.layers.includes(layer.id) })
    return made.root
  }

  function arrived() {
    const [newest] = resultsOf(context)
    if (display.result && newest) display.set({ result: newest })
    say('said.result')
    show()
  }

  const nothing = () => {}
  const ends = [model.subscribe(show), display.subscribe(show), host.results?.subscribe(arrived) ?? nothing]
  show()
  return { root, destroy: () => ends.forEach((end) => end()) }
}

/** Stores the result beside the pictures and makes it the base; the chosen layers are painted anew. */
async function goOn(context) {
  const { model, display, host } = context
  const { url, title } = display.result
  try {
    const answer = await fetch(url)
    if (!answer.ok) throw new Error(`${answer.status}`)
    const { blob, extension } = await stored(new File([await answer.blob()], title))
    const picture = await host.upload(blob, extension)
    context.edit('edit', (document) => beginEdit(document, picture, model.chosen))
  } catch (error) {
    context.refuse('adding.refused', { name: title, reason: error.message })
  }
}

function finish(context) {
  context.edit('edit', endEdit)
  context.display.set({ result: null })
  context.focusCanvas?.()
}

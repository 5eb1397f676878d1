// The bar under a result that is shown on the canvas: which one, and going on from it.
import { addFiles } from './adding.mjs'
import { choice } from './choices.mjs'
import { button, element, numberField, slider } from './fields.mjs'
import { keepResult, resultsOf } from './kept_results.mjs'
import { colourOf } from './overlays.mjs'
import { reasonOf } from './picture_file.mjs'
import { beginEdit, endEdit, setEdit, toggleEdited } from './result_edits.mjs'
import { FEATHER } from './rules.mjs'

/**
 * @param {object} context
 * @returns {{root: HTMLElement, destroy: function}}
 */
export function createResultBar(context) {
  const { model, display, host, text, say } = context
  const shown = createShownRow(context)
  const edit = createEditRows(context)
  const root = element(
    'div',
    { class: 'collage-result', role: 'group', 'aria-label': text('result') },
    shown.root,
    ...edit.roots,
  )

  let drawn = null // the edit that is shown

  function show() {
    drawn = model.document.edit
    root.hidden = !display.result && !drawn
    shown.show()
    edit.show()
  }

  function arrived() {
    const [newest] = resultsOf(context)
    if (display.result && newest) display.set({ result: newest })
    say('said.result')
    show()
  }

  const ends = [
    // a drag makes a draft for every frame
    model.subscribe(({ what }) => (what !== 'draft' || model.document.edit !== drawn) && show()),
    display.subscribe(show),
    host.results?.subscribe(arrived) ?? (() => {}),
  ]
  show()
  return { root, destroy: () => ends.forEach((end) => end()) }
}

/** Which result lies over the collage, and the button that goes on from it. */
function createShownRow(context) {
  const { model, display, text } = context
  const which = choice({
    label: text('result'),
    options: [],
    onCommit: (url) => display.set({ result: resultsOf(context).find((one) => one.url === url) }),
  })
  const go = button({
    words: ' ',
    label: ' ',
    tip: text('result.edit.tip'),
    weight: 'main',
    onClick: () => goOn(context),
  })
  const add = button({
    icon: 'add',
    label: text('result.add'),
    tip: text('result.add.tip'),
    weight: 'quiet',
    onClick: () => addAsLayer(context),
  })
  const root = element('div', { class: 'collage-result-row' }, which.root, add.root, go.root)

  function show() {
    const { result } = display
    root.hidden = !result
    if (!result) return
    const { edit, width, height } = model.document
    which.fill(resultsOf(context).map(({ url, title }, i) => ({ value: url, label: `${i + 1}. ${title}` })))
    which.set(result.url)
    const fits = result.width === width && result.height === height
    const label = text(fits ? (edit ? 'result.again' : 'result.edit') : 'result.size', { width, height })
    go.set({ disabled: !fits, label })
    go.root.querySelector('.collage-button-words').textContent = label
  }
  return { root, show }
}

/** What the edit paints anew, how freely, and how softly it ends; the base is the result. */
function createEditRows(context) {
  const { model, text } = context
  const changes = (field) => (value) => (document) => setEdit(document, { [field]: value })
  const [noised, feathered] = [changes('noise'), changes('feather')]
  const noise = slider({
    label: text('noise'),
    tip: text('result.noise.tip'),
    min: 0,
    max: 1,
    step: 0.01,
    onDraft: (value) => model.draft(noised(value)),
    onCommit: (value) => context.edit('edit', noised(value)),
  })
  const feather = numberField({
    label: text('feather'),
    tip: text('feather.tip'),
    unit: 'px',
    inside: true,
    min: FEATHER[0],
    max: FEATHER[1],
    step: 1,
    onDraft: (value) => model.draft(feathered(value)),
    onCommit: (value) => context.edit('edit', feathered(value)),
  })
  const end = button({
    words: text('result.end'),
    label: text('result.end'),
    weight: 'quiet',
    onClick: () => finish(context),
  })
  const chips = createChips(context)
  const how = element('div', { class: 'collage-result-row' }, noise.root, feather.root, end.root)

  function show() {
    const { edit } = model.document
    for (const root of [chips.root, how]) root.hidden = !edit
    if (!edit) return
    chips.show()
    noise.set(edit.noise)
    feather.set(edit.feather)
  }
  return { roots: [chips.root, how], show }
}

/** A switch for every layer, in the order of the list, and one for all that no layer covers. */
function createChips(context) {
  const { model, text } = context
  const label = element('span', { textContent: text('result.repaints') })
  const kind = { class: 'collage-edited', role: 'group', 'aria-label': text('result.repaints') }
  const root = element('div', kind, label)
  const background = chip(text('result.background'), (document) =>
    setEdit(document, { background: !document.edit.background }),
  )
  const chips = new Map() // kept from step to step, so that the focus stays on them

  function chip(words, change) {
    const made = button({ words, label: words, onClick: () => context.edit('edit', change) })
    made.root.classList.add('collage-edited-layer')
    return made
  }

  function show() {
    const { edit, layers } = model.document
    const shown = layers.filter((layer) => layer.visible).reverse()
    for (const [id, made] of chips) {
      if (shown.some((layer) => layer.id === id)) continue
      made.root.remove()
      chips.delete(id)
    }
    const roots = shown.map(({ id, text: words }) => {
      if (!chips.has(id)) chips.set(id, chip(' ', (document) => toggleEdited(document, id)))
      const made = chips.get(id)
      const named = words.trim() || text('layer.unnamed')
      made.root.querySelector('.collage-button-words').textContent = named
      made.root.style.setProperty('--collage-colour', colourOf(model, id))
      made.set({ label: named, pressed: edit.layers.includes(id) })
      return made.root
    })
    background.set({ pressed: edit.background })
    const wanted = [label, ...roots, background.root]
    if (wanted.some((one, i) => root.children[i] !== one)) root.replaceChildren(...wanted)
  }
  return { root, show }
}

/** Stores the result beside the pictures and makes it the base; the chosen layers are painted anew. */
const goOn = (context) =>
  withResult(context, async (result) => {
    const picture = await keepResult(context.host, result)
    context.edit('edit', (document) => beginEdit(document, picture, context.model.chosen, result.before))
    context.makeRoom()
  })

const addAsLayer = (context) =>
  withResult(context, async ({ url, title }) => {
    const answer = await fetch(url)
    if (!answer.ok) throw new Error(`${answer.status}`)
    // its title says where it comes from, and not what it shows
    await addFiles(context, [new File([await answer.blob()], title)], { words: '', top: true })
  })

/** Does something with the result that is shown; what goes wrong is told. */
async function withResult(context, use) {
  const { title } = context.display.result
  try {
    await use(context.display.result)
  } catch (error) {
    context.refuse('adding.refused', { name: title, reason: reasonOf(context.text, error) })
  }
}

function finish(context) {
  context.edit('edit', endEdit)
  context.display.set({ result: null })
  context.focusCanvas?.()
}

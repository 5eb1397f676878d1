// One line that says what is wrong and offers to mend it; the empty canvas; the live region.
import { ACTIONS } from './actions.mjs'
import { faultsOf } from './faults.mjs'
import { button, element } from './fields.mjs'
import { icon } from './icons.mjs'
import { isLinked } from './marks.mjs'

// of collage_core/collage/report.py
const CANVAS_LINE = new RegExp(
  '^Canvas (?<width>\\d+) x (?<height>\\d+) pixels, (?<shown>\\d+) of (?<count>\\d+) layers shown, ' +
    'the background on (?<share>[\\d.e-]+ %) of it\\.$',
)

/**
 * @param {object} context
 * @returns {{root: HTMLElement, destroy: function}}
 */
export function createMessages(context) {
  const { model, pictures, live, text, say } = context
  const sign = element('span', { class: 'collage-sign' })
  const sentence = element('span', { class: 'collage-message' })
  const mend = element('span', { class: 'collage-mend' })
  const more = button({
    icon: 'next',
    words: ' ',
    label: text('message.next'),
    onClick: () => {
      at += 1
      show()
    },
  })
  const root = element(
    'section',
    { class: 'collage-messages', 'aria-label': text('messages') },
    sign,
    sentence,
    mend,
    more.root,
  )
  let at = 0
  let last = ''

  function show() {
    if (model.drafting) return // a line that changes under the hand would only disturb
    const faults = faultsOf(context)
    at = faults.length ? at % faults.length : 0
    const fault = faults[at]
    root.className = `collage-messages collage-messages-${fault?.weight ?? 'ready'}`
    const { links } = context.host
    const empty = !fault && !model.document.layers.length && !links?.has('collage')
    sign.replaceChildren(...(empty ? [] : [icon(fault ? 'warning' : 'found')]))
    sentence.textContent = fault ? text(`message.${fault.kind}`, fault.values) : empty ? text('message.none') : readyText()
    sentence.title = sentence.textContent
    const held = mend.contains(document.activeElement)
    mend.replaceChildren(...(fault ? remedy(fault) : []))
    if (held) (mend.querySelector('input') ?? { focus: () => context.focusCanvas?.() }).focus()
    more.root.hidden = faults.length < 2
    more.root.querySelector('.collage-button-words').textContent = text('message.more', {
      number: at + 1,
      count: faults.length,
    })
    if (fault && sentence.textContent !== last) say('message.problem', { problem: sentence.textContent })
    last = sentence.textContent
  }

  function readyText() {
    const report = context.host.report?.last()
    if (report?.of === model.text) return firstLine(report.text, text) // it says nothing of another document
    if (isLinked(model.document, context.host)) return text('message.linked')
    const count = model.document.layers.filter((layer) => layer.visible).length
    return text(count === 1 ? 'message.readyOne' : 'message.ready', { count })
  }

  function remedy(fault) {
    const ask = { picture: context.choosePicture, words: context.rename }[fault.ask]
    if (!fault.mend && !ask) return []
    const key = fault.kind === 'pictureWrong' ? 'picture' : fault.kind
    const label = text(`message.${key}Mend`, fault.values)
    const run = () => {
      if (!fault.mend) return ask(fault.id)
      context.edit('mend', fault.mend)
    }
    return [button({ words: label, label, weight: 'main', onClick: run }).root]
  }

  const { report, links } = context.host
  const ends = [model, pictures, live, report, links].map((one) => one?.subscribe?.(show) ?? (() => {}))
  show()
  return { root, destroy: () => ends.forEach((end) => end()) }
}

/** The first line of Python's report, in the language of the page where it is as usual. */
export function firstLine(report, text) {
  const [line] = report.split('\n')
  const found = line.match(CANVAS_LINE)?.groups
  return found ? text('message.canvas', found) : line
}

/**
 * What a canvas without layers says: what to do first.
 * @param {object} context
 * @returns {{root: HTMLElement, destroy: function}}
 */
export function createWelcome(context) {
  const { model, text } = context
  const add = button({
    icon: 'add',
    words: text('welcome.button'),
    label: text('welcome.button'),
    weight: 'main',
    onClick: () => ACTIONS.add.run(context),
  })
  const keys = /Mac|iP(hone|ad)/.test(navigator.platform) ? '⌘V' : 'Ctrl+V'
  const steps = ['drop', 'name', 'run'].map((step) =>
    element('li', { textContent: text(`welcome.${step}`) }),
  )
  const root = element(
    'div',
    { class: 'collage-welcome' },
    element(
      'span',
      { class: 'collage-welcome-cards', 'aria-hidden': 'true' },
      element('i'),
      element('i'),
      element('i'),
    ),
    element('h2', { textContent: text('welcome.title') }),
    element('ol', {}, ...steps),
    add.root,
    element('small', { textContent: text('welcome.paste', { keys }) }),
  )
  const show = () => {
    root.hidden = model.document.layers.length > 0 || model.readable === false
  }
  const end = model.subscribe(show)
  show()
  return { root, destroy: end }
}

/**
 * Tells a screen reader what has changed, when it has time.
 * @returns {{root: HTMLElement, say: function}} say(sentence)
 */
export function createLiveRegion() {
  const root = element('div', { class: 'collage-live', role: 'status', 'aria-live': 'polite' })
  return {
    root,
    say(sentence) {
      // the same sentence twice is said twice
      root.textContent = root.textContent === sentence ? `${sentence}\u00a0` : sentence
    },
  }
}

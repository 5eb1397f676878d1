// The toolbar: every command that has a button, and what the canvas shows.
import { ACTIONS } from './actions.mjs'
import { button, element } from './fields.mjs'
import { resultsOf } from './kept_results.mjs'

const GROUPS = [
  ['add', 'save', 'savePsd'],
  ['undo', 'redo'],
  ['duplicate', 'remove', 'cut'],
  ['flipHorizontal', 'flipVertical', 'fit', 'centre'],
]
const SHOWN = { plain: 'plain', noise: 'overlayNoise', masks: 'overlayMasks', result: 'result' }
const WITH_TIP = ['add', 'save', 'savePsd', 'cut', ...Object.values(SHOWN)]

/**
 * @param {object} context
 * @returns {{root: HTMLElement, destroy: function}}
 */
export function createToolbar(context) {
  const { model, display, host, text } = context
  const root = element('div', { class: 'collage-toolbar', role: 'toolbar', 'aria-label': text('toolbar') })
  const run = returning(context, root)
  const commands = createCommands(context, run)
  const segments = createSegments(context, run)
  const canvas = button({
    icon: 'canvas',
    label: text('canvas'),
    tip: text('canvas.tip'),
    onClick: () => model.choose([]),
  })
  root.append(
    ...GROUPS.map((names) => group(...names.map((name) => commands.buttons[name].root))),
    element('span', { class: 'collage-spring' }),
    segments.root,
    group(commands.buttons.fitView.root, canvas.root, commands.buttons.large.root),
  )
  function show() {
    commands.show()
    segments.show()
    canvas.set({ pressed: model.chosen.length === 0 })
    roving(root)
  }
  root.addEventListener('keydown', (event) => step(event, root))
  root.addEventListener('focusin', () => roving(root))
  const rest = [display, context.cuts, host.results].map((one) => one?.subscribe(show)).filter(Boolean)
  // what can be done is the same from the beginning of a drag to its end
  const ends = [...rest, model.subscribe(({ what }) => what !== 'draft' && show())]
  show()
  return { root, destroy: () => ends.forEach((end) => end()) }
}

const group = (...roots) => element('span', { class: 'collage-group' }, ...roots)

/** The focus goes back to the canvas, where the keys are, unless the button was reached by keys. */
function returning(context, root) {
  return (what) => () => {
    const byPointer = !root.querySelector('input:focus-visible')
    what()
    if (byPointer) context.focusCanvas?.()
  }
}

function createCommands(context, run) {
  const { model, display, text } = context
  const names = [...GROUPS.flat(), 'fitView', 'large']
  const make = (name) =>
    button({
      icon: name,
      label: text(name),
      words: name === 'add' ? text('add.words') : '',
      tip: WITH_TIP.includes(name) ? text(`${name}.tip`) : '',
      keys: ACTIONS[name].keys[0],
      onClick: run(() => ACTIONS[name].run(context)),
    })
  const buttons = Object.fromEntries(names.map((name) => [name, make(name)]))
  const withStep = (name, label) => (label ? text(`step.${name}`, { step: label }) : text(name))
  function show() {
    for (const [name, made] of Object.entries(buttons))
      made.set({ disabled: !ACTIONS[name].enabled(context) })
    buttons.cut.set({ pressed: context.cuts.state.open })
    buttons.undo.set({ label: withStep('undo', model.undoLabel) })
    buttons.redo.set({ label: withStep('redo', model.redoLabel) })
    const large = context.large ? 'small' : 'large'
    buttons.large.set({ icon: large, label: text(large) })
    buttons.fitView.root.hidden = display.zoom === 1 && !display.pan.some(Boolean)
  }
  return { buttons, show }
}

/** One of several: the collage, its noise, its masks, or the result of a run once there is one. */
function createSegments(context, run) {
  const { display, text } = context
  const look = (kind) => {
    if (kind !== 'result') return display.set({ overlay: kind, result: null })
    return display.set({ overlay: 'plain', result: resultsOf(context)[0] ?? null })
  }
  const segments = Object.entries(SHOWN).map(([kind, name]) => {
    const keys = ACTIONS[name]?.keys[0] ?? ''
    return [
      kind,
      button({
        icon: kind,
        label: text(name),
        tip: text(`${name}.tip`),
        keys,
        onClick: run(() => look(kind)),
      }),
    ]
  })
  const root = group(...segments.map(([, made]) => made.root))
  root.classList.add('collage-segments')
  root.setAttribute('role', 'group')
  root.setAttribute('aria-label', text('overlays'))
  function show() {
    const now = display.result ? 'result' : display.overlay
    for (const [kind, made] of segments) made.set({ pressed: kind === now })
    segments.at(-1)[1].root.hidden = !display.result && !resultsOf(context).length
  }
  return { root, show }
}

/** One Tab stop for the whole toolbar: where the focus is, or else the first button that can be used. */
function roving(root) {
  const inputs = [...root.querySelectorAll('input')]
  const usable = inputs.filter(canUse)
  const stop =
    usable.find((input) => input === document.activeElement) ??
    usable.find((input) => input.tabIndex === 0) ??
    usable[0]
  for (const input of inputs) input.tabIndex = input === stop ? 0 : -1
}

const canUse = (input) => !input.disabled && !input.parentElement.hidden

function step(event, root) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
  if (!by || event.ctrlKey || event.metaKey || event.altKey) return
  const usable = [...root.querySelectorAll('input')].filter(canUse)
  usable.at((usable.indexOf(event.target) + by) % usable.length).focus()
  event.preventDefault()
  event.stopPropagation()
}

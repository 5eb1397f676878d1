// The toolbar: every command that has a button, and what the canvas shows.
import { ACTIONS } from './actions.mjs'
import { button, element } from './fields.mjs'

const GROUPS = [
  ['add'],
  ['undo', 'redo'],
  ['duplicate', 'remove'],
  ['flipHorizontal', 'flipVertical', 'fit', 'centre'],
]
const OVERLAYS = { plain: 'plain', noise: 'overlayNoise', masks: 'overlayMasks' }
const WITH_TIP = ['add', 'plain', 'overlayNoise', 'overlayMasks']

/**
 * @param {object} context
 * @returns {{root: HTMLElement, destroy: function}}
 */
export function createToolbar(context) {
  const { model, display, text } = context
  const root = element('div', { class: 'collage-toolbar', role: 'toolbar', 'aria-label': text('toolbar') })
  const buttons = {}

  function command(name, more = {}) {
    const action = ACTIONS[name]
    const made = button({
      icon: name,
      label: text(name),
      tip: WITH_TIP.includes(name) ? text(`${name}.tip`) : '',
      keys: action.keys?.[0] ?? '',
      onClick: () => run(() => action.run(context)),
      ...more,
    })
    buttons[name] = made
    return made.root
  }

  // the focus goes back to the canvas, where the keys are, unless the button was reached by keys
  function run(what) {
    const byPointer = !root.querySelector('input:focus-visible')
    what()
    if (byPointer) context.focusCanvas?.()
  }

  for (const names of GROUPS) {
    root.append(
      element(
        'span',
        { class: 'collage-group' },
        ...names.map((name) => command(name, name === 'add' ? { words: text('add.words') } : {})),
      ),
    )
  }
  const overlays = Object.entries(OVERLAYS).map(([overlay, name]) => {
    const made = button({
      icon: overlay,
      label: text(name),
      tip: text(`${name}.tip`),
      keys: ACTIONS[name]?.keys?.[0] ?? '',
      onClick: () => run(() => display.set({ overlay })),
    })
    return [overlay, made]
  })
  const canvas = button({
    icon: 'canvas',
    label: text('canvas'),
    tip: text('canvas.tip'),
    onClick: () => model.choose([]),
  })
  root.append(
    element('span', { class: 'collage-spring' }),
    element(
      'span',
      { class: 'collage-group collage-segments', role: 'group', 'aria-label': text('overlays') },
      ...overlays.map(([, made]) => made.root),
    ),
    element('span', { class: 'collage-group' }, command('fitView'), canvas.root, command('large')),
  )

  const stepName = (name, label) => (label ? text(`step.${name}`, { step: label }) : text(name))

  function show() {
    for (const [name, made] of Object.entries(buttons)) {
      made.set({ disabled: !(ACTIONS[name].enabled?.(context) ?? true) })
    }
    buttons.undo.set({ label: stepName('undo', model.undoLabel) })
    buttons.redo.set({ label: stepName('redo', model.redoLabel) })
    const large = Boolean(context.large)
    buttons.large.set({ icon: large ? 'small' : 'large', label: text(large ? 'small' : 'large') })
    for (const [overlay, made] of overlays) made.set({ pressed: display.overlay === overlay })
    canvas.set({ pressed: model.chosen.length === 0 })
    buttons.fitView.root.hidden = display.zoom === 1 && !display.pan.some(Boolean)
    roving(root)
  }
  root.addEventListener('keydown', (event) => step(event, root))
  root.addEventListener('focusin', () => roving(root))
  const ends = [model.subscribe(show), display.subscribe(show)]
  show()
  return { root, destroy: () => ends.forEach((end) => end()) }
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

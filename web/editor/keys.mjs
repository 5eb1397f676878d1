// Keys of the canvas. They go to a textarea of one pixel: the page takes Ctrl+Z from all but fields.
import { ACTIONS } from './actions.mjs'
import { createHeld } from './held.mjs'

const ACTION_OF = new Map(Object.values(ACTIONS).flatMap((action) => action.keys.map((key) => [key, action])))
// queue, save, open
const OF_THE_PAGE = ['Ctrl+Enter', 'Ctrl+Shift+Enter', 'Ctrl+Alt+Enter', 'Ctrl+S', 'Ctrl+O']

/**
 * Names of what was pressed, as ACTIONS writes them: with Shift, then without, as signs have it in them.
 * A letter of another script has the name of its place on a keyboard with Latin letters.
 */
export function pressed(event) {
  const { key, code, ctrlKey, metaKey, altKey, shiftKey } = event
  const letter = key.length === 1 && /\p{L}/u.test(key)
  const graph = event.getModifierState('AltGraph') // signs on many keyboards
  const before = graph ? '' : `${ctrlKey || metaKey ? 'Ctrl+' : ''}${altKey ? 'Alt+' : ''}`
  const place = /^Key([A-Z])$/.exec(code)?.[1]
  const name = !letter ? key : place && !/\p{Script=Latin}/u.test(key) ? place : key.toUpperCase()
  if (!shiftKey) return [before + name]
  return key.length === 1 && !letter ? [`${before}Shift+${name}`, before + name] : [`${before}Shift+${name}`]
}

/**
 * @param {object} context of the view
 * @returns {{root: HTMLTextAreaElement, focus: function, held: function, handle: function, settle: function}}
 *   `handle(event, ours)` runs what a keydown stands for, where the editor's keys hold;
 *   -> whether the page is to have it after all. `settle()` ends the step of a key that is held.
 */
export function createKeys(context) {
  const root = document.createElement('textarea')
  root.className = 'collage-keys'
  root.setAttribute('aria-label', context.text('canvas.label'))
  root.setAttribute('aria-description', context.text('canvas.keys'))
  root.setAttribute('autocomplete', 'off')
  root.addEventListener('input', () => {
    root.value = ''
  })
  const held = new Set()
  root.addEventListener('keydown', ({ key }) => held.add(key))
  root.addEventListener('keyup', ({ key }) => held.delete(key))
  root.addEventListener('blur', () => held.clear())

  const step = createHeld()

  function run(action, event) {
    if (!action.enabled(context)) return
    if (!action.draft) return action.run(context)
    action.draft(context)
    step.later(event.target, () => context.commit(action.step))
  }

  function handle(event, ours) {
    if (!event.repeat) step.end()
    const names = pressed(event)
    if (names.some((name) => OF_THE_PAGE.includes(name))) return true
    if (ours && !event.isComposing && context.cuts.key(names)) {
      event.preventDefault()
      return false
    }
    const action = names.map((name) => ACTION_OF.get(name)).find(Boolean)
    if (!ours || !action || event.isComposing) return false
    // past the last layer Tab goes on to the next part of the editor
    if (event.key === 'Tab' && (event.target !== root || !action.enabled(context))) return false
    event.preventDefault()
    run(action, event)
    return false
  }

  return { root, focus: () => root.focus({ preventScroll: true }), held: (key) => held.has(key), handle, settle: step.end }
}

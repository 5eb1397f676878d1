// The editor's tooltips: a title, a sentence and the keys, for pointer and keyboard focus.
import { element } from './fields.mjs'

const REST = 450 // milliseconds before the first tip; the next ones come at once
const GAP = 8

/**
 * Shows the tips of everything in `frame` that `describe` has described.
 * @param {HTMLElement} frame
 * @returns {{root: HTMLElement, destroy: function}} root: to append to the frame
 */
export function createTooltip(frame) {
  const root = element('div', { class: 'collage-tooltip', role: 'presentation', hidden: true })
  let timer = 0
  let owner = null

  function over(event) {
    const next = event.target.closest?.('[data-collage-tip]') ?? null
    if (next === owner) return
    const wait = root.hidden ? REST : 60
    leave()
    owner = next
    if (next) timer = setTimeout(show, wait)
  }

  function focused(event) {
    // what has a label of its own to read needs no tip
    if (event.target.matches('.collage-button > :focus-visible')) over(event)
  }

  function leave() {
    clearTimeout(timer)
    owner = null
    root.hidden = true
  }

  function show() {
    if (!owner?.isConnected) return
    const { collageTip, collageMore, collageShortcut } = owner.dataset
    const words = owner.querySelector('.collage-button-words')
    const whole = words && words.textContent === collageTip && words.scrollWidth <= words.clientWidth
    if (whole && !collageMore && !collageShortcut) return // it would say once more what stands there
    const title = element(
      'span',
      { class: 'collage-tooltip-title' },
      element('strong', { textContent: collageTip }),
    )
    if (collageShortcut) title.append(element('kbd', { textContent: collageShortcut }))
    root.replaceChildren(title)
    if (collageMore) root.append(element('span', { textContent: collageMore }))
    root.hidden = false
    place()
  }

  /** Below its owner, or above where there is no room, inside the frame; the page may be zoomed. */
  function place() {
    const outer = frame.getBoundingClientRect()
    const zoom = outer.width / frame.offsetWidth || 1
    const box = owner.getBoundingClientRect()
    const [left, top, bottom] = [box.left - outer.left, box.top - outer.top, box.bottom - outer.top].map(
      (one) => one / zoom,
    )
    const x = left + box.width / zoom / 2 - root.offsetWidth / 2
    const fits = bottom + GAP + root.offsetHeight <= frame.offsetHeight
    root.style.left = `${Math.max(GAP, Math.min(frame.offsetWidth - root.offsetWidth - GAP, x))}px`
    root.style.top = `${Math.max(GAP, fits ? bottom + GAP / 2 : top - root.offsetHeight - GAP / 2)}px`
  }

  const listeners = {
    pointerover: over,
    pointerleave: leave,
    pointerdown: leave,
    focusin: focused,
    focusout: leave,
    keydown: leave,
  }
  for (const [name, listener] of Object.entries(listeners)) frame.addEventListener(name, listener)
  return {
    root,
    destroy() {
      leave()
      for (const [name, listener] of Object.entries(listeners)) frame.removeEventListener(name, listener)
    },
  }
}

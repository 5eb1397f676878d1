// The focus stays in the editor when what had it is hidden, disabled or gone: the page would get the next key.

/**
 * Gives the focus to the canvas as soon as a change of the view has taken it from a button or a field.
 * Created after the parts of the view, so that they have shown the change by then.
 * @param {HTMLElement} root of the view
 * @param {object} context
 * @returns {{destroy: function}}
 */
export function keepFocus(root, { model, display, cuts, focusCanvas }) {
  let last = null // what has, or had, the focus

  const usable = (one) => one.isConnected && !one.disabled && one.checkVisibility()
  const entered = ({ target }) => {
    last = target
  }
  const left = () => {
    const was = last
    setTimeout(() => {
      // what is taken away loses the focus while it is still there
      if (last === was && was && usable(was) && document.activeElement !== was) last = null // by the user
    })
  }
  const check = () => {
    if (!last || usable(last) || !root.isConnected) return
    const { activeElement, body } = document
    if (activeElement === last || activeElement === body) focusCanvas()
  }
  let due = false
  // Asking the page whether something can be seen lays it out anew: once for all that is told of one
  // change, still before the next key, and not while a hand drags, when nothing goes.
  const changed = (change) => {
    if (due || change?.what === 'draft') return
    due = true
    queueMicrotask(() => {
      due = false
      check()
    })
  }
  root.addEventListener('focusin', entered)
  root.addEventListener('focusout', left)
  const ends = [model, display, cuts].map((one) => one.subscribe(changed))
  return { destroy: () => ends.forEach((end) => end()) }
}

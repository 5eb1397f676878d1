// A key that is held makes one step of all its repeats, as a drag does: every repeat is a draft.

const ENDS = ['keyup', 'blur']

/**
 * @returns {{later: function, end: function}} `later(target, commit)` at every repeat: the last commit
 *   runs when the key is let go or the focus leaves the target; `end()` runs it at once
 */
export function createHeld() {
  let pending = null // {target, commit}
  function end() {
    if (!pending) return
    const { target, commit } = pending
    pending = null
    for (const name of ENDS) target.removeEventListener(name, end)
    commit()
  }
  function later(target, commit) {
    if (pending?.target !== target) end()
    pending = { target, commit }
    for (const name of ENDS) target.addEventListener(name, end) // once, however often it is asked for
  }
  return { later, end }
}

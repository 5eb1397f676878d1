// A second, large view of the same collage in a dialog over the page, below all that the page itself says.

/**
 * No modal dialog of the browser: it would lie over the page's own dialogs and notices, and make them inert.
 * @param {object} session of the node; its model is shared, so both views show the same
 * @param {function} createEditor of editor.mjs
 */
export function openLarge(session, createEditor) {
  const before = document.activeElement
  const behind = session.host.behind()
  const shade = document.createElement('div')
  shade.className = 'collage-shade'
  const dialog = document.createElement('dialog')
  dialog.className = 'collage-dialog'
  dialog.setAttribute('aria-label', session.host.title())
  dialog.setAttribute('aria-modal', 'true')
  const editor = createEditor(session, { large: true, leave: () => dialog.close() })
  const { context } = editor
  dialog.append(editor.root)
  const watch = setInterval(() => {
    if (!session.host.alive()) dialog.close()
  }, 1000)
  const ends = [
    editor.destroy,
    keepKeys(context),
    // the page tells of these beside the graph, behind this view
    session.host.runFaults(({ key, values }) => context.refuse(key, values, { stays: true })),
  ]
  dialog.addEventListener('close', () => {
    clearInterval(watch)
    ends.forEach((end) => end())
    dialog.remove()
    shade.remove()
    behind.inert = false
    if (before?.isConnected) before.focus({ preventScroll: true })
  })
  behind.inert = true
  document.body.append(shade, dialog)
  dialog.show()
  context.focusCanvas()
  return dialog
}

/** Keys that no element has the focus for are this view's, unless the page asks something over it. */
function keepKeys({ focusCanvas, keys }) {
  const keep = (event) => {
    if (document.activeElement !== document.body || pageAsks()) return
    event.stopImmediatePropagation()
    focusCanvas()
    if (!keys.dispatchEvent(new KeyboardEvent(event.type, event))) event.preventDefault()
  }
  window.addEventListener('keydown', keep, { capture: true })
  return () => window.removeEventListener('keydown', keep, { capture: true })
}

function pageAsks() {
  const dialogs = [...document.querySelectorAll('[role="dialog"], [role="alertdialog"]')]
  return dialogs.some((one) => !one.closest('[inert]') && one.checkVisibility())
}

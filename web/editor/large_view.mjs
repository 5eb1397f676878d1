// A second, large view of the same collage in a dialog over the page.

/**
 * @param {object} session of the node; its model is shared, so both views show the same
 * @param {function} createEditor of editor.mjs
 */
export function openLarge(session, createEditor) {
  const before = document.activeElement
  const dialog = document.createElement('dialog')
  dialog.className = 'collage-dialog'
  dialog.setAttribute('aria-label', session.host.title())
  const editor = createEditor(session, { large: true, leave: () => dialog.close() })
  dialog.append(editor.root)
  // Escape is a key of the editor, and of its fields: it closes only when there is nothing else to leave
  dialog.addEventListener('cancel', (event) => event.preventDefault())
  const watch = setInterval(() => {
    if (!session.host.alive()) dialog.close()
  }, 1000)
  dialog.addEventListener('close', () => {
    clearInterval(watch)
    editor.destroy()
    dialog.remove()
    if (before?.isConnected) before.focus({ preventScroll: true })
  })
  document.body.append(dialog)
  dialog.showModal()
  editor.context.focusCanvas()
  return dialog
}

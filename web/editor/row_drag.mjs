// Layers change their order by dragging rows: by the whole row, or by its picture on a touch screen.

const FAR = 4 // pixels on the screen before a press becomes a drag
const EDGE = 24 // from the ends of the list it scrolls

/**
 * @param {HTMLElement} list with `.collage-row` children, topmost layer first
 * @param {{onStart: function, onDrop: function}} calls onDrop(id, index): the layer's index from the bottom
 */
export function createRowDrag(list, { onStart, onDrop }) {
  const line = document.createElement('li')
  line.className = 'collage-drop-line'
  line.setAttribute('role', 'presentation')
  let press = null

  function down(event) {
    const row = event.target.closest('.collage-row')
    if (!row || event.button || event.target.closest('.collage-button, .collage-rename')) return
    if (event.pointerType === 'touch' && !event.target.closest('[data-collage-grip]')) return
    press = { row, y: event.clientY, pointer: event.pointerId, moving: false }
  }

  function move(event) {
    if (!press || event.pointerId !== press.pointer) return
    if (!press.moving && Math.abs(event.clientY - press.y) < FAR) return
    if (!press.moving) begin()
    scroll(event.clientY)
    const others = rows().filter((row) => !moving().includes(row))
    const below = others.find((row) => event.clientY < middle(row))
    list.insertBefore(line, below ?? null)
    press.before = others.indexOf(below)
    press.others = others.length
    event.preventDefault()
  }

  function begin() {
    press.moving = true
    onStart(press.row.dataset.layer)
    list.classList.add('collage-dragging')
    list.setPointerCapture(press.pointer)
  }

  function up() {
    const { row, moving: moved, before = -1, others = 0 } = press ?? {}
    end()
    if (!moved) return
    list.addEventListener('click', swallow, { capture: true, once: true })
    setTimeout(() => list.removeEventListener('click', swallow, { capture: true }), 0)
    onDrop(row.dataset.layer, before < 0 ? 0 : others - before)
  }

  function end() {
    if (press?.moving && list.hasPointerCapture(press.pointer)) list.releasePointerCapture(press.pointer)
    press = null
    line.remove()
    list.classList.remove('collage-dragging')
  }

  function scroll(y) {
    const { top, bottom } = list.getBoundingClientRect()
    if (y < top + EDGE) list.scrollTop -= 8
    if (y > bottom - EDGE) list.scrollTop += 8
  }

  const rows = () => [...list.querySelectorAll('.collage-row')]
  const moving = () =>
    rows().filter(
      (row) =>
        row === press.row ||
        (row.classList.contains('collage-chosen') && press.row.classList.contains('collage-chosen')),
    )
  const middle = (row) => {
    const { top, height } = row.getBoundingClientRect()
    return top + height / 2
  }
  const swallow = (event) => event.stopPropagation()
  const cancel = (event) => {
    if (event.key === 'Escape' && press?.moving) {
      end()
      event.stopPropagation()
    }
  }

  const listeners = {
    pointerdown: down,
    pointermove: move,
    pointerup: up,
    pointercancel: end,
    keydown: cancel,
  }
  for (const [name, listener] of Object.entries(listeners)) list.addEventListener(name, listener)
  return {
    destroy() {
      for (const [name, listener] of Object.entries(listeners)) list.removeEventListener(name, listener)
    },
  }
}

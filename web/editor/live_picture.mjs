// The picture as the node would compute it, of the newest document: shared by the views of one editor.

const PAUSE = 80 // milliseconds after the last change

/**
 * @param {object} parts model, pictures and compositor of one editor
 * @returns {{current: function, subscribe: function, destroy: function}} `current()` is
 *   {document, canvas, width, height, visible: {id: Uint8Array}} of the newest one that was computed, or null;
 *   it is of what the model holds now where `document` is the model's.
 */
export function createLivePicture({ model, pictures, compositor }) {
  const listeners = new Set()
  const canvas = document.createElement('canvas')
  let current = null
  let timer = 0
  let ended = false
  let running = 0

  function later() {
    clearTimeout(timer)
    timer = setTimeout(compute, PAUSE)
  }

  async function compute() {
    const wanted = model.document
    if (ended || model.drafting) return // asked again when the gesture has ended
    running += 1
    const found = await compositor.request(wanted).finally(() => {
      running -= 1
    })
    if (!found || ended) return
    canvas.width = found.width
    canvas.height = found.height
    canvas.getContext('2d').putImageData(new ImageData(found.pixels, found.width, found.height), 0, 0)
    current = { document: wanted, canvas, ...found }
    for (const listener of [...listeners]) listener(current)
  }

  const endings = [
    model.subscribe(({ what }) => {
      if (what === 'choice') return
      if (model.drafting && running) compositor.request(null) // the gesture needs the time
      later()
    }),
    pictures.subscribe(later),
  ]
  later()
  return {
    current: () => current,
    /** listener(current) -> the function that ends it. */
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    destroy() {
      ended = true
      clearTimeout(timer)
      endings.forEach((end) => end())
      listeners.clear()
    },
  }
}

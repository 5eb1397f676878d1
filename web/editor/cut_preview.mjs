// A picture without its ground that is only shown: neither the document nor the other parts know of it.

const PREVIEW = 'preview' // stands for a picture in what is drawn; it is no name of a file

/**
 * @param {object} context of the view
 * @param {{ask: function}} cutter
 * @param {function} changed called when there is something new to draw
 */
export function createPreview({ pictures }, cutter, changed) {
  let shown = null // {id, name, picture: {state, width, height, bitmap}}
  let next = null // the newest wish; those between are left out
  let busy = false
  let turn = 0 // an answer of another turn comes too late
  let memory = [null, null, null] // document, shown, and what is drawn in its place

  async function show(layer, tolerance) {
    next = { layer, tolerance }
    if (busy) return
    busy = true
    while (next) {
      const { layer: one, tolerance: value } = next
      const asked = turn
      next = null
      const { blob, width, height } = pictures.get(one.picture)
      const request = { name: one.picture, blob, tolerance: value }
      const found = await cutter.ask('preview', request).catch(() => null)
      if (!found || asked !== turn) continue
      const picture = { state: 'ready', width, height, bitmap: canvasOf(found) }
      shown = { id: one.id, name: one.picture, picture }
      changed()
    }
    busy = false
  }

  return {
    show,
    end() {
      turn += 1
      next = shown = null
    },
    /** The document to draw: the same, unless a preview is shown. */
    document(document) {
      const one = document.layers.find((layer) => layer.id === shown?.id && layer.picture === shown.name)
      if (!one) return document
      if (memory[0] !== document || memory[1] !== shown) {
        const layers = document.layers.map((layer) =>
          layer === one ? { ...layer, picture: PREVIEW } : layer,
        )
        memory = [document, shown, { ...document, layers }]
      }
      return memory[2]
    },
    /** The page's pictures, with the preview among them. */
    pictures: {
      get: (name) => (name === PREVIEW ? shown.picture : pictures.get(name)),
      thumbnail: (name, side) => (name === PREVIEW ? shown.picture.bitmap : pictures.thumbnail(name, side)),
    },
  }
}

function canvasOf({ width, height, data }) {
  const canvas = new OffscreenCanvas(width, height)
  const pixels = new Uint8ClampedArray(data.buffer, data.byteOffset, data.length)
  canvas.getContext('2d').putImageData(new ImageData(pixels, width, height), 0, 0)
  return canvas
}

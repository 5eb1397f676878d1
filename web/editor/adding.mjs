// Pictures come in: dropped, pasted, chosen, dragged from the page. Layers go out and in by copy and paste.
import { EMPTY, read, write } from './document.mjs'
import { addLayer, reorder, setLayer } from './edits.mjs'
import { isCollageFile, openFile } from './files.mjs'
import { MAX_PIXELS, WrongPicture, lookAt, reasonOf } from './picture_file.mjs'
import { scaleOf } from './placement.mjs'
import { encodePng } from './png.mjs'
import { hasRoom, newIds } from './tools.mjs'

const LAYERS = 'application/x-collage-layers'
const IN_CELL = 0.9 // of its part of the canvas is what a cut-out takes among others
const BY_MACHINE = /^(comfyui_temp_\w+|[0-9a-f]{32,})\.\w+$/i // ComfyUI's previews, hashes of contents
const NO_NAMES =
  /^(image|img|picture|photo|untitled|unnamed|screenshot|screen|shot|dsc|dscn|pxl|clipboard|download|comfyui)?$/i

/** The words that a file's name says, without numbers; '' where it says nothing. */
export function wordsOf(fileName) {
  if (BY_MACHINE.test(fileName)) return ''
  const words = fileName
    .replace(/\.[^.]*$/, '')
    .replace(/[\d_().+-]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return NO_NAMES.test(words.replace(/\s/g, '')) || words.split(' ').every((word) => NO_NAMES.test(word))
    ? ''
    : words
}

/**
 * A file as it is stored: PNG, JPEG and WebP byte for byte, by what is in it and not by its name;
 * other pictures that the browser can show (GIF, AVIF, BMP) as PNG, of several frames the first.
 * @returns {Promise<{blob: Blob, extension: string}>} rejects with WrongPicture
 */
export async function stored(file) {
  const found = lookAt(new Uint8Array(await file.arrayBuffer()))
  if (found?.width * found?.height > MAX_PIXELS) throw new WrongPicture('size')
  if (found) return { blob: file, extension: found.extension }
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new WrongPicture('kind')
  })
  const { width, height } = bitmap
  const g = new OffscreenCanvas(width, height).getContext('2d')
  g.drawImage(bitmap, 0, 0)
  bitmap.close()
  const { data } = g.getImageData(0, 0, width, height)
  return { blob: await encodePng({ width, height, data }), extension: 'png' }
}

/** Whether nothing of a picture is transparent: a photo, then, and no cut-out. */
function opaque({ bitmap, width, height }) {
  const side = 64
  const g = new OffscreenCanvas(side, side).getContext('2d', { willReadFrequently: true })
  g.drawImage(bitmap, 0, 0, width, height, 0, 0, side, side)
  return g.getImageData(0, 0, side, side).data.every((value, index) => index % 4 !== 3 || value > 250)
}

/**
 * Stores pictures and makes a layer of each, one step for all of them; a file with a whole collage is opened.
 * @param {object} context of the view
 * @param {File[]} files
 * @param {object} [options]
 * @param {[number, number]} [options.place] in fractions of the canvas, for cut-outs
 * @param {string} [options.words] of each layer, in place of what its file's name says
 * @param {boolean} [options.top] photos lie over all layers, too, and not below them
 */
export async function addFiles(context, files, { place = [0.5, 0.5], words, top = false } = {}) {
  const { model, pictures, host, say } = context
  if (!model.readable) return context.refuse('adding.unreadable', {}) // nothing may be written over it
  const made = []
  const [whole, ...more] = files.filter(isCollageFile)
  if (whole) await openFile(context, whole, more.length > 0)
  for (const file of files.filter((one) => !isCollageFile(one))) {
    if (!hasRoom(context, made.length + 1)) break
    try {
      const { blob, extension } = await stored(file)
      const name = await host.upload(blob, extension)
      const picture = await pictures.load(name)
      made.push(layerOf(name, picture, words ?? wordsOf(file.name), place))
    } catch (error) {
      context.refuse('adding.refused', { name: file.name, reason: reasonOf(context.text, error) })
    }
  }
  if (!made.length) return
  const ids = newIds(model.document, made.length)
  const added = context.edit('add', (document) =>
    sideBySide(made, document).reduce((rest, layer, index) => {
      const more = addLayer(rest, { ...layer, id: ids[index] })
      return layer.fit === 'cover' && !top ? reorder(more, [ids[index]], 'bottom') : more
    }, document),
  )
  if (!added) return
  const highest = made.findLastIndex((layer) => layer.fit === 'contain') // -1 of photos alone: the last
  model.choose([ids.at(highest)]) // a drag then moves that one, and not all
  context.focusCanvas()
  say('said.added', { count: made.length })
}

function layerOf(picture, { bitmap, width, height }, text, [x, y]) {
  const common = { picture, size: [width, height], text }
  if (opaque({ bitmap, width, height })) return { ...common, fit: 'cover', scale: 1, x: 0.5, y: 0.5 }
  return { ...common, fit: 'contain', scale: 0.5, x, y }
}

/**
 * Several cut-outs that come at once lie in rows over the whole canvas, none over another, so that each
 * can be taken; one alone stays where it was dropped, and photos cover the canvas as they are.
 */
export function sideBySide(layers, { width, height }) {
  const cutOuts = layers.filter((layer) => layer.fit === 'contain')
  if (cutOuts.length < 2) return layers
  const columns = Math.min(cutOuts.length, Math.ceil(Math.sqrt((cutOuts.length * width) / height)))
  const rows = Math.ceil(cutOuts.length / columns)
  return layers.map((layer) => {
    const index = cutOuts.indexOf(layer)
    if (index < 0) return layer
    const row = Math.floor(index / columns)
    const inRow = Math.min(columns, cutOuts.length - row * columns) // the last one lies in the middle
    const whole = scaleOf({ width, height }, { fit: 'contain', scale: 1, rotation: 0 }, layer.size)
    const [wide, tall] = [layer.size[0] * whole, layer.size[1] * whole]
    const scale = IN_CELL * Math.min(width / columns / wide, height / rows / tall)
    const x = ((index % columns) + 0.5 + (columns - inRow) / 2) / columns
    return { ...layer, scale: Math.min(layer.scale, scale), x, y: (row + 0.5) / rows }
  })
}

/** Opens the browser's file chooser; several files may be chosen. */
export function chooseFiles(context) {
  ask({ multiple: true, accept: 'image/*,.psd,.psb,.zip' }, (files) => addFiles(context, files))
}

/** Another picture for a layer, chosen as a file; its words and its place stay. */
export function choosePicture(context, id) {
  const { pictures, host } = context
  ask({ multiple: false }, async ([file]) => {
    try {
      const { blob, extension } = await stored(file)
      const picture = await host.upload(blob, extension)
      const { width, height } = await pictures.load(picture)
      const other = { picture, size: [width, height], from: '' }
      context.edit('picture', (document) => setLayer(document, id, other))
    } catch (error) {
      context.refuse('adding.refused', { name: file.name, reason: reasonOf(context.text, error) })
    }
  })
}

function ask(options, take) {
  const input = Object.assign(document.createElement('input'), {
    type: 'file',
    accept: 'image/*',
    ...options,
  })
  input.addEventListener('change', () => take([...input.files]))
  input.click()
}

const isPicture = (file) => file.type.startsWith('image/') || file.type === '' || isCollageFile(file)

/** Files of a drop or a paste, or the picture of this server whose address was dragged from the page. */
async function filesOf(data, host) {
  const files = [...data.files].filter(isPicture)
  if (files.length) return files
  const address = data.getData('text/uri-list').split('\n')[0].trim()
  const url = address && URL.canParse(address) ? new URL(address) : null
  if (url?.origin !== location.origin || !url.pathname.endsWith('/view')) return []
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${answer.status}`)
  return [new File([await answer.blob()], url.searchParams.get('filename') ?? '')]
}

/** Listens for drops on the whole editor, and for copy, cut and paste on the canvas. */
export function listenForPictures(root, keys, context) {
  const { model } = context
  async function drop(event) {
    event.preventDefault()
    root.classList.remove('collage-dropping')
    const point = context.viewport.toCanvas(context.viewport.at(event))
    const { width, height } = model.document
    const place = [point[0] / width, point[1] / height].map((value) => Math.min(1, Math.max(0, value)))
    const files = await filesOf(event.dataTransfer).catch(() => [])
    if (files.length) return addFiles(context, files, { place })
    return context.refuse('adding.nothing', {})
  }
  function over(event) {
    event.preventDefault()
    event.dataTransfer.dropEffect = 'copy'
    root.classList.add('collage-dropping')
  }
  function out(event) {
    if (!root.contains(event.relatedTarget)) root.classList.remove('collage-dropping')
  }
  function copy(event) {
    const layers = model.document.layers.filter((layer) => model.chosen.includes(layer.id))
    if (!layers.length) return
    event.preventDefault()
    event.clipboardData.setData(LAYERS, write({ ...EMPTY, layers }))
    event.clipboardData.setData('text/plain', layers.map((layer) => layer.text).join(', '))
    context.say('said.copied', { count: layers.length })
  }
  async function paste(event) {
    if (event.target !== keys) return
    event.preventDefault()
    const text = event.clipboardData.getData(LAYERS)
    if (text) return pasteLayers(context, text)
    const files = await filesOf(event.clipboardData).catch(() => [])
    if (files.length) await addFiles(context, files)
  }
  const onRoot = { dragenter: over, dragover: over, dragleave: out, drop, paste }
  for (const [name, listener] of Object.entries(onRoot)) root.addEventListener(name, listener)
  keys.addEventListener('copy', copy)
  keys.addEventListener('cut', (event) => {
    copy(event)
    context.run('remove')
  })
}

/** Layers of this or another editor; what cannot be read is left out. */
function pasteLayers(context, text) {
  const { model } = context
  const { document: found, problems } = read(text)
  if (problems.length) return context.refuse('adding.nothing', {})
  if (!hasRoom(context, found.layers.length)) return undefined
  const ids = newIds(model.document, found.layers.length)
  const pasted = context.edit('paste', (document) =>
    found.layers.reduce(
      (rest, layer, index) =>
        addLayer(rest, {
          ...layer,
          id: ids[index],
          locked: false,
          x: layer.x + 24 / rest.width,
          y: layer.y + 24 / rest.height,
        }),
      document,
    ),
  )
  return pasted && model.choose(ids)
}

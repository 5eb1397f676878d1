// The pictures of a page: fetched once by name, checked, decoded for drawing, kept while in use.
import { decode } from './decoding.mjs'
import { MAX_PIXELS, WrongPicture, lookAt } from './picture_file.mjs'
import { sha256Soon } from './sha256.mjs'

const HASHED = /^collage\/([0-9a-f]{64})\.[a-z]+$/
const MOST_PIXELS = 2 ** 28 // of all pictures together that are kept
const IN_USE = 60_000 // milliseconds after it was last asked for, in which a picture is not dropped
const ALPHA_SIDE = 1024 // pixels: of larger pictures a smaller alpha answers what lies under a point

/** One picture. state: 'loading', 'ready', 'missing' (no such file) or 'wrong' (not what it should be). */
class Picture {
  state = 'loading'
  reason = '' // why it is wrong: 'hash', 'kind', 'size' or 'damaged'
  bitmap = null // premultiplied, for drawing
  blob = null
  width = 0
  height = 0
  used = 0
  thumbnails = new Map() // side -> canvas
  #alpha = null

  constructor(name) {
    this.name = name
  }

  /** Straight RGBA, as Python reads the file: {width, height, data}. Not kept. */
  bytes() {
    return decode(this.blob)
  }

  /** The alpha of a picture that is ready, at most 1024 pixels a side: {width, height, data}. */
  alpha() {
    this.#alpha ??= alphaOf(this.thumbnail(ALPHA_SIDE))
    return this.#alpha
  }

  /** The picture as a canvas whose longer side has so many pixels, or its own if they are fewer. */
  thumbnail(side) {
    const longest = Math.max(this.width, this.height)
    const wanted = Math.min(Math.round(side), longest)
    if (!this.thumbnails.has(wanted)) {
      const larger = [...this.thumbnails.keys()].filter((one) => one >= 2 * wanted)
      const source = larger.length ? this.thumbnails.get(Math.min(...larger)) : this.bitmap
      this.thumbnails.set(wanted, smaller(source, this, wanted / longest))
    }
    return this.thumbnails.get(wanted)
  }

  close() {
    this.bitmap?.close()
    this.thumbnails.clear()
  }
}

function smaller(source, { width, height }, scale) {
  const [wide, high] = [width, height].map((side) => Math.max(1, Math.round(side * scale)))
  const canvas = new OffscreenCanvas(wide, high)
  const g = canvas.getContext('2d')
  g.imageSmoothingQuality = 'high'
  g.drawImage(source, 0, 0, wide, high)
  return canvas
}

function alphaOf(canvas) {
  const { width, height } = canvas
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height)
  const alpha = new Uint8Array(width * height)
  for (let i = 0; i < alpha.length; i += 1) alpha[i] = data[4 * i + 3]
  return { width, height, data: alpha }
}

async function fetched(picture, url) {
  // a name with a hash never changes what it stands for; of another one the file may have changed
  const answer = await fetch(url, { cache: HASHED.test(picture.name) ? 'default' : 'no-cache' })
  if (!answer.ok) return false
  const blob = await answer.blob()
  const bytes = new Uint8Array(await blob.arrayBuffer())
  const hash = HASHED.exec(picture.name)?.[1]
  if (hash && (await sha256Soon(bytes)) !== hash) throw new WrongPicture('hash')
  const seen = lookAt(bytes)
  if (!seen) throw new WrongPicture('kind')
  if (seen.width * seen.height > MAX_PIXELS) throw new WrongPicture('size')
  picture.blob = blob
  picture.bitmap = await createImageBitmap(blob)
  ;({ width: picture.width, height: picture.height } = picture.bitmap)
  return true
}

/**
 * @param {(name: string) => string} viewUrl the address of a picture of the input folder
 */
export function createPictures(viewUrl) {
  const known = new Map() // name -> {picture, loaded}
  const listeners = new Set()

  async function read(picture) {
    try {
      picture.state = (await fetched(picture, viewUrl(picture.name))) ? 'ready' : 'missing'
    } catch (error) {
      // no answer at all is like no such file: both can be tried again
      picture.state = error instanceof TypeError ? 'missing' : 'wrong'
      picture.reason = error instanceof WrongPicture ? error.reason : 'damaged'
    }
    if (picture.state === 'ready') makeRoom()
    for (const listener of [...listeners]) listener(picture.name)
    return picture
  }

  function entry(name) {
    if (!known.has(name)) {
      const picture = new Picture(name)
      known.set(name, { picture, loaded: read(picture) })
    }
    const found = known.get(name)
    found.picture.used = performance.now()
    return found
  }

  /** Drops what has not been asked for in a while, until the rest is small enough. */
  function makeRoom() {
    const ready = [...known.values()].map((one) => one.picture).filter((one) => one.state === 'ready')
    let pixels = ready.reduce((sum, one) => sum + one.width * one.height, 0)
    for (const picture of ready.sort((a, b) => a.used - b.used)) {
      if (pixels <= MOST_PIXELS || performance.now() - picture.used < IN_USE) return
      pixels -= picture.width * picture.height
      known.delete(picture.name)
      picture.close()
    }
  }

  return {
    /** The picture of a name; asking for it begins to load it. */
    get: (name) => entry(name).picture,

    /** The picture once it is ready. Asks again for one that was missing; throws WrongPicture. */
    async load(name) {
      if (['missing', 'wrong'].includes(known.get(name)?.picture.state)) known.delete(name)
      const picture = await entry(name).loaded
      if (picture.state === 'missing') throw new WrongPicture('missing')
      if (picture.state === 'wrong') throw new WrongPicture(picture.reason)
      return picture
    },

    /** A canvas of a picture that is ready, at most so many pixels a side. It is kept: do not draw on it. */
    thumbnail: (name, side) => entry(name).picture.thumbnail(side),

    /** listener(name) when a picture has arrived or is not to be had -> the function that ends it. */
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

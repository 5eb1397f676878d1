// Works off requests for composites, one by one; a newer one of the same editor ends an older one.
import { composeDocument } from './edited.mjs'

const MOST_KEPT = 2 ** 29 // bytes of decoded pictures and of parts of them in their size on the canvas
const AT_ONCE = 12 // milliseconds of work between two looks for newer requests

/** Values by key, of which the least recently used are dropped when all become too large. */
export class Shelf {
  #values = new Map()
  #bytes = 0

  constructor(limit) {
    this.limit = limit
  }

  get(key) {
    const value = this.#values.get(key)
    if (value) {
      this.#values.delete(key)
      this.#values.set(key, value) // now the one used last
    }
    return value
  }

  set(key, value) {
    if (this.#values.has(key)) this.#drop(key)
    this.#values.set(key, value)
    this.#bytes += value.byteLength
    for (const oldest of this.#values.keys()) {
      if (this.#bytes <= this.limit || oldest === key) return
      this.#drop(oldest)
    }
  }

  #drop(key) {
    this.#bytes -= this.#values.get(key).byteLength
    this.#values.delete(key)
  }
}

/** Its message is the name of the picture. */
class Undecodable extends Error {}

/**
 * @param {(blob: Blob) => Promise<{data: Uint8Array}>} decode
 * @param {() => Promise<void>} pause lets newer requests arrive
 */
export function createEngine(decode, pause) {
  const blobs = new Map() // name -> {blob, width, height}
  const shelf = new Shelf(MOST_KEPT)
  const waiting = new Map() // editor -> the newest request
  let busy = false

  const find = (name) => {
    const known = blobs.get(name)
    return known ? { ...known, name, kept: part(name) } : null
  }
  const part = (name) => ({
    get: (key) => shelf.get(`${name} ${key}`),
    set: (key, pixels) => shelf.set(`${name} ${key}`, pixels),
  })

  async function bytesOf({ name, blob }) {
    const data = shelf.get(name) ?? (await decode(blob).catch(() => { throw new Undecodable(name) })).data
    shelf.set(name, data)
    return data
  }

  /** The same without a picture that turns out to be damaged: as if it had not arrived. */
  async function composed(request) {
    for (;;) {
      try {
        return await attempt(request)
      } catch (error) {
        if (!(error instanceof Undecodable)) throw error
        blobs.delete(error.message)
      }
    }
  }

  /** The composite, or null when a newer request of the same editor has come. */
  async function attempt({ editor, document }) {
    if (!document) return null
    const work = composeDocument(document, find)
    let since = performance.now()
    let step = work.next()
    while (!step.done) {
      const data = step.value ? await bytesOf(step.value) : undefined
      if (performance.now() - since > AT_ONCE) {
        await pause()
        if (waiting.has(editor)) return null
        since = performance.now()
      }
      step = work.next(data)
    }
    return step.value
  }

  async function workOff() {
    busy = true
    while (waiting.size) {
      const [editor, request] = waiting.entries().next().value
      waiting.delete(editor)
      await composed(request).then((found) => request.answer(found), (error) => request.answer(null, error))
    }
    busy = false
  }

  return {
    /** Takes pictures [{name, blob, width, height}] that later requests name. */
    learn(pictures) {
      for (const { name, ...rest } of pictures) blobs.set(name, rest)
    },

    /** answer(found) once: null when overtaken; answer(null, error) when it failed. */
    request(request) {
      waiting.get(request.editor)?.answer(null)
      waiting.set(request.editor, request)
      if (!busy) workOff()
    },
  }
}

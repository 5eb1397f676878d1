// Asks the worker of the page for exact composites; without a worker they are computed in the page.
import { decode } from './decoding.mjs'
import { createEngine } from './engine.mjs'

let shared = null // ask(request) -> Promise; one worker for all editors of the page
let editors = 0

function connect() {
  const open = new Map() // number -> {resolve, reject, request}
  let numbers = 0
  const settle = ({ number, found, error }) => {
    const one = open.get(number)
    open.delete(number)
    if (error) one?.reject(new Error(error))
    else one?.resolve(found)
  }
  let send = byWorker(settle, () => {
    send = inPage(settle)
    for (const [number, { request }] of open) send(number, request)
  })
  return (request) => new Promise((resolve, reject) => {
    const number = (numbers += 1)
    open.set(number, { resolve, reject, request })
    send(number, request)
  })
}

/** failed(): the worker could not be started. Errors of a request are answers like others. */
function byWorker(settle, failed) {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module' })
  const sent = new Map() // name -> the blob that the worker has of it
  worker.addEventListener('message', ({ data }) => settle(data))
  worker.addEventListener('error', () => {
    worker.terminate()
    failed()
  })
  return (number, { editor, document, pictures }) => {
    const unknown = pictures.filter(({ name, blob }) => sent.get(name) !== blob)
    for (const { name, blob } of unknown) sent.set(name, blob)
    worker.postMessage({ number, editor, document, pictures: unknown })
  }
}

function inPage(settle) {
  const engine = createEngine(decode, () => new Promise((resolve) => setTimeout(resolve)))
  return (number, { editor, document, pictures }) => {
    engine.learn(pictures)
    const answer = (found, error) => settle({ number, found, error: error ? String(error) : '' })
    engine.request({ editor, document, answer })
  }
}

/** Names of all pictures that the composite of a document may need. */
function namesIn({ layers, background_picture: behind, edit }) {
  const shown = [...layers, ...(edit?.before?.layers ?? [])].filter((layer) => layer.visible)
  return [...new Set([...shown.map((layer) => layer.picture), behind, edit?.picture])].filter(Boolean)
}

/**
 * @param {{get: function}} pictures of `createPictures`
 * @returns {{request: (document: object) => Promise<{width: number, height: number,
 *   pixels: Uint8ClampedArray, visible: Object<string, Uint8Array>} | null>}} null when a newer
 *   request of this compositor overtook it. Layers whose pictures are not ready are left out. For
 *   null in place of a document nothing is computed: it ends what is being computed.
 */
export function createCompositor(pictures) {
  const editor = (editors += 1)
  return {
    request(document) {
      const names = document ? namesIn(document) : []
      const ready = names.map((name) => pictures.get(name)).filter((one) => one.state === 'ready')
        .map(({ name, blob, width, height }) => ({ name, blob, width, height }))
      shared ??= connect()
      return shared({ editor, document, pictures: ready })
    },
  }
}

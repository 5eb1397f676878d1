// The worker of a page in which composites are computed, so that the page stays free meanwhile.
import { decode } from './decoding.mjs'
import { createEngine } from './engine.mjs'

// a message to oneself comes after those that have arrived by then
const { port1, port2 } = new MessageChannel()
const pause = () => new Promise((resolve) => {
  port1.onmessage = () => resolve()
  port2.postMessage(null)
})
const engine = createEngine(decode, pause)

addEventListener('message', ({ data: { editor, number, document, pictures } }) => {
  engine.learn(pictures)
  engine.request({
    editor,
    document,
    answer(found, error) {
      const buffers = found ? [found.pixels, ...Object.values(found.visible)].map((one) => one.buffer) : []
      postMessage({ number, found, error: error ? String(error) : '' }, buffers)
    },
  })
})

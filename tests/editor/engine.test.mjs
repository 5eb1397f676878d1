import assert from 'node:assert/strict'
import test from 'node:test'
import { createCompositor } from '../../web/editor/compositor.mjs'
import { Shelf, createEngine } from '../../web/editor/engine.mjs'
import { documentOf } from './fixtures.mjs'

const data = Uint8Array.from({ length: 16 }, () => 255)
const picture = { name: 'aaaa.png', width: 2, height: 2, blob: 'file' }
const pause = () => new Promise((resolve) => setTimeout(resolve))

function engineOf(decode = async () => ({ data })) {
  const engine = createEngine(decode, pause)
  engine.learn([picture])
  const ask = (editor, document = documentOf({ aaaa: {} })) =>
    new Promise((resolve, reject) => {
      engine.request({ editor, document, answer: (found, error) => (error ? reject(error) : resolve(found)) })
    })
  return ask
}

test('a request is answered with picture and visible parts', async () => {
  const found = await engineOf()(1)
  assert.equal(found.pixels.length, 4 * 512 * 512)
  assert.equal(found.visible.aaaa[256 * 512 + 256], 255)
})

/** The clock goes on by a second at every look, so that the engine looks for newer requests at every step. */
function hurried(t) {
  let now = 0
  t.mock.method(performance, 'now', () => (now += 1000))
}

test('a newer request ends one that is being computed, and no other editor', async (t) => {
  hurried(t)
  const steps = []
  let arrive = () => {}
  const engine = createEngine(async () => ({ data }), async () => arrive())
  engine.learn([picture])
  const ask = (name, editor) =>
    new Promise((resolve) => {
      const answer = (found) => {
        steps.push([name, found && 'picture'])
        resolve()
      }
      engine.request({ editor, document: documentOf({ aaaa: {}, bbbb: {} }), answer })
    })
  const later = []
  arrive = () => {
    arrive = () => {}
    later.push(ask('other', 2), ask('second', 1), ask('third', 1))
  }
  await ask('first', 1)
  await Promise.all(later)
  // nothing was computed of what is asked for no more, and its answer came before newer ones
  assert.deepEqual(steps, [['second', null], ['first', null], ['other', 'picture'], ['third', 'picture']])
})

/** Global names of a page or a worker, for one test. */
function putInPlace(t, names) {
  const before = Object.keys(names).map((name) => [name, globalThis[name]])
  Object.assign(globalThis, names)
  t.after(() => Object.assign(globalThis, Object.fromEntries(before)))
}

test('the worker answers every message, by its number: null when overtaken', async (t) => {
  hurried(t)
  const answers = []
  let listen
  let settled
  const all = new Promise((resolve) => { settled = resolve })
  const channels = []
  const arriving = [] // messages that come while the worker looks for them
  const page = {
    MessageChannel: class extends MessageChannel {
      constructor() {
        super()
        channels.push(this)
        const post = this.port2.postMessage.bind(this.port2)
        this.port2.postMessage = (value) => {
          arriving.shift()?.()
          post(value)
        }
      }
    },
    createImageBitmap: async () => ({ width: 2, height: 2, close() {} }),
    OffscreenCanvas: class {
      getContext(kind) {
        return kind === '2d' ? { drawImage() {}, getImageData: () => ({ data }) } : null
      }
    },
    addEventListener: (_, listener) => { listen = listener },
    postMessage: ({ number, found, error }) => {
      answers.push([number, found && found.width, error])
      if (answers.length === 4) settled()
    },
  }
  putInPlace(t, page)
  t.after(() => channels.forEach(({ port1 }) => port1.close()))
  await import('../../web/editor/worker.mjs')
  const send = (number, editor, width) =>
    listen({ data: { number, editor, document: documentOf({ aaaa: {} }, { width }), pictures: [picture] } })
  arriving.push(() => send(3, 1, 80))
  send(1, 1, 64)
  send(2, 2, 72)
  listen({ data: { number: 4, editor: 3, document: {}, pictures: [] } })
  await all
  const failed = answers.splice(2, 1)[0]
  assert.deepEqual(answers, [[1, null, ''], [2, 72, ''], [3, 80, '']])
  assert.match(failed[2], /TypeError/)
})

test('the page hears of its own requests, in whatever order the worker answers', async (t) => {
  const sent = []
  const listeners = {}
  putInPlace(t, {
    Worker: class {
      addEventListener(name, listener) {
        listeners[name] = listener
      }
      postMessage(message) {
        sent.push(message)
      }
      terminate() {
        sent.push('terminated')
      }
    },
  })
  const ready = { state: 'ready', ...picture }
  const [one, other] = [createCompositor({ get: () => ready }), createCompositor({ get: () => ready })]
  const asked = [one.request(documentOf({ aaaa: {} })), one.request(documentOf({ aaaa: {} })), other.request(documentOf({}))]
  assert.equal(sent[0].editor, sent[1].editor)
  assert.notEqual(sent[0].editor, sent[2].editor)
  assert.deepEqual(sent.map((message) => message.pictures.length), [1, 0, 0], 'a picture is sent once')
  const answer = (index, found, error = '') =>
    listeners.message({ data: { number: sent[index].number, found, error } })
  answer(1, { width: 8 })
  answer(0, null)
  answer(2, null, 'RangeError: no memory')
  assert.deepEqual(await Promise.all(asked.slice(0, 2)), [null, { width: 8 }])
  await assert.rejects(asked[2], /no memory/)
  // a worker that cannot be started: what is open, and what comes, is computed in the page
  const open = [one.request(documentOf({})), one.request(documentOf({}, { width: 64 }))]
  listeners.error()
  const found = await Promise.all([...open, other.request(documentOf({}, { width: 72 }))])
  assert.deepEqual(found.map((picture) => picture?.width), [512, 64, 72])
  assert.equal(sent.at(-1), 'terminated')
})

test('nothing to compute ends what is being computed', async () => {
  const ask = engineOf(async () => {
    await pause()
    return { data }
  })
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`id${i + 10}`, { picture: 'aaaa.png', rotation: 30 }]))
  assert.deepEqual(await Promise.all([ask(1, documentOf(many)), ask(1, null)]), [null, null])
  assert.ok(await ask(1))
})

test('a picture is decoded once', async () => {
  let count = 0
  const ask = engineOf(async () => {
    count += 1
    return { data }
  })
  await ask(1)
  await ask(1, documentOf({ aaaa: { scale: 0.5 } }))
  assert.equal(count, 1)
})

test('a picture that cannot be decoded is left out', async () => {
  const ask = engineOf(() => Promise.reject(new Error('damaged')))
  assert.deepEqual((await ask(1)).visible, {})
})

test('any other failure is told, and the next request is answered', async () => {
  const ask = engineOf()
  await assert.rejects(ask(1, {}), TypeError)
  assert.ok(await ask(1))
})

test('what was used last stays on the shelf', () => {
  const shelf = new Shelf(100)
  shelf.set('a', new Uint8Array(40))
  shelf.set('b', new Uint8Array(40))
  shelf.get('a')
  shelf.set('c', new Uint8Array(40))
  assert.deepEqual(['a', 'b', 'c'].map((key) => Boolean(shelf.get(key))), [true, false, true])
  shelf.set('a', new Uint8Array(90))
  assert.deepEqual(['a', 'c'].map((key) => Boolean(shelf.get(key))), [true, false])
  shelf.set('huge', new Uint8Array(1000))
  assert.equal(shelf.get('huge').length, 1000)
})

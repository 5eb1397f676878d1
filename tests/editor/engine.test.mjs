import assert from 'node:assert/strict'
import test from 'node:test'
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

test('a newer request ends the older ones of its editor, and no others', async () => {
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 30))
    return { data }
  }
  const ask = engineOf(slow)
  const answers = await Promise.all([ask(1), ask(2), ask(1), ask(1)])
  assert.deepEqual(answers.map((one) => one !== null), [false, true, false, true])
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

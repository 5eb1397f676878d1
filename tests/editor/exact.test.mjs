import assert from 'node:assert/strict'
import test from 'node:test'
import { MODES } from '../../web/editor/blending.mjs'
import { composeDocument } from '../../web/editor/edited.mjs'
import { colourOf, compose } from '../../web/editor/exact.mjs'
import { roundEven, shrunk } from '../../web/editor/resample.mjs'
import { documentOf, finished } from './fixtures.mjs'

// test_exact.py holds all of this to Python; here is what can be told without it

/** A picture of these pixels, [red, green, blue, alpha] row by row. */
const pictureOf = (width, pixels) =>
  ({ width, height: pixels.length / width, data: Uint8Array.from(pixels.flat()), kept: new Map() })
const composed = (layers, fields, pictures) => finished(compose(documentOf(layers, fields), (name) => pictures[name]))
const pixel = ({ pixels, width }, x, y) => [...pixels.subarray(4 * (y * width + x), 4 * (y * width + x) + 3)]

const red = [200, 10, 20, 255]
const clear = [255, 255, 255, 0]

test('a layer on whole pixels is copied, and clear ones show the background', () => {
  const found = composed({ aaaa: {} }, { width: 64, height: 64, background: '#0a141e' }, {
    'aaaa.png': pictureOf(2, [red, clear, clear, red]),
  })
  assert.deepEqual([pixel(found, 31, 31), pixel(found, 32, 31)], [[200, 10, 20], [10, 20, 30]])
  assert.deepEqual([pixel(found, 32, 32), pixel(found, 0, 0)], [[200, 10, 20], [10, 20, 30]])
  assert.equal(found.visible.aaaa.reduce((sum, one) => sum + one, 0), 2 * 255)
})

test('what lies on top hides what lies below, as far as it is opaque', () => {
  const one = pictureOf(2, Array(4).fill(red))
  const found = composed({ aaaa: {}, bbbb: { opacity: 0.25 } }, { width: 64, height: 64 }, { 'aaaa.png': one, 'bbbb.png': one })
  assert.deepEqual([found.visible.aaaa[32 * 64 + 32], found.visible.bbbb[32 * 64 + 32]], [191, 64])
})

test('hidden layers and missing pictures take no part', () => {
  const one = pictureOf(2, Array(4).fill(red))
  const layers = { aaaa: { visible: false }, bbbb: {}, cccc: {} }
  const found = composed(layers, { width: 64, height: 64 }, { 'aaaa.png': one, 'bbbb.png': one })
  assert.deepEqual(Object.keys(found.visible), ['bbbb'])
})

test('a picture that is kept is not asked for again', () => {
  const picture = pictureOf(40, Array(1600).fill(red))
  const asked = (document) => {
    const work = compose(document, () => picture)
    let count = 0
    for (let step = work.next(); !step.done; step = work.next(step.value?.data)) count += step.value ? 1 : 0
    return count
  }
  assert.equal(asked(documentOf({ aaaa: {} })), 1)
  assert.equal(asked(documentOf({ aaaa: { x: 0.2, rotation: 40, opacity: 0.4 } })), 0)
  assert.equal(asked(documentOf({ aaaa: { x: 1, flip: 'vertical' } })), 0)
  assert.equal(asked(documentOf({ aaaa: { scale: 0.5 } })), 1)
})

test('a part of a shrunk picture is that part of the whole', () => {
  const picture = pictureOf(31, Array.from({ length: 31 * 17 }, (_, i) => [i, 3 * i, 7 * i, 11 * i]))
  const whole = finished(shrunk(picture, 7, 12, { top: 0, left: 0, bottom: 7, right: 12 }))
  const part = finished(shrunk(picture, 7, 12, { top: 2, left: 5, bottom: 5, right: 9 }))
  for (let y = 0; y < 3; y += 1) {
    const line = whole.subarray(4 * ((y + 2) * 12 + 5), 4 * ((y + 2) * 12 + 9))
    assert.deepEqual(part.subarray(16 * y, 16 * y + 16), line)
  }
})

test('of a photo of 40 megapixels only what the canvas needs is made', () => {
  const photo = { width: 7728, height: 5200, data: new Uint8Array(4 * 7728 * 5200).fill(255), kept: new Map() }
  for (const scale of [1, 0.2, 6]) {
    const document = documentOf({ aaaa: { fit: 'cover', scale } }, { width: 512, height: 512 })
    const { visible } = finished(compose(document, () => photo))
    assert.equal(visible.aaaa[256 * 512 + 256], 255)
  }
  const numbers = [...photo.kept.values()].map((pixels) => pixels.length)
  assert.ok(Math.max(...numbers) <= 4 * 2 * 512 * 512, numbers.join())
})

test('six layers at 512 take less than 0.3 seconds of work', () => {
  const round = (width, height) => {
    const seen = (i) => Math.hypot((i % width) - width / 2, Math.floor(i / width) - height / 2) < height / 2
    const data = Uint8Array.from({ length: 4 * width * height }, (_, i) => (i % 4 < 3 ? i : 255 * seen(i >> 2)))
    return { width, height, data, kept: new Map() }
  }
  const pictures = Array.from({ length: 6 }, (_, n) => round(600 + 50 * n, 500))
  const layers = pictures.map((_, n) => [`id0${n}`, { fit: 'contain', scale: 0.6, x: 0.15 * n, rotation: 7 * n }])
  const document = documentOf(Object.fromEntries(layers))
  const work = () => {
    const before = process.cpuUsage()
    finished(compose(document, (name) => pictures[name[3]]))
    return process.cpuUsage(before).user / 1000
  }
  work()
  assert.ok(Math.min(work(), work(), work()) < 300)
})

test('a large composite may be given up between any two steps', () => {
  const picture = pictureOf(2, Array(4).fill(red))
  let steps = 0
  const work = compose(documentOf({ aaaa: {}, bbbb: {} }), () => picture)
  for (let step = work.next(); !step.done; step = work.next(step.value?.data)) steps += 1
  assert.ok(steps >= 3)
})

test('blend modes keep black, white and what they should', () => {
  assert.deepEqual([MODES.multiply(0.5, 1), MODES.screen(0.5, 0), MODES.add(0.7, 0.7)], [0.5, 0.5, 1])
  assert.deepEqual([MODES.overlay(0.25, 0.5), MODES['soft light'](0.3, 0.5)], [0.25, 0.3])
})

test('colours and halves are read as Python reads them', () => {
  assert.deepEqual(colourOf('#f00'), colourOf('#FF0000'))
  assert.deepEqual([0.5, 1.5, 2.5, 2.51, -1.5].map(roundEven), [0, 2, 2, 3, -2])
})

test('an edit shows the picture, layers that moved, and what was behind them', () => {
  const one = pictureOf(2, Array(4).fill(red))
  const result = pictureOf(64, Array(64 * 64).fill([1, 2, 3, 255]))
  const find = (name) => (name === 'result.png' ? result : one)
  const layers = { aaaa: { x: 0.25 }, bbbb: { x: 0.75 } }
  const before = documentOf({ ...layers, aaaa: { x: 0.5 } }).layers
  const edit = { picture: 'result.png', layers: ['aaaa'], before: { prompt: '', layers: before } }
  const fields = { width: 64, height: 64, background: '#0a141e', edit }
  const found = finished(composeDocument(documentOf(layers, fields), find))
  assert.deepEqual([pixel(found, 16, 32), pixel(found, 48, 32)], [[200, 10, 20], [1, 2, 3]])
  assert.deepEqual([pixel(found, 32, 32), pixel(found, 0, 0)], [[10, 20, 30], [1, 2, 3]])
  assert.ok(found.approximate)
  const wide = finished(composeDocument(documentOf(layers, { ...fields, width: 128 }), find))
  assert.deepEqual(pixel(wide, 0, 0), [10, 20, 30])
})

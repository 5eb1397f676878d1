import assert from 'node:assert/strict'
import test from 'node:test'
import { coversCanvas, inside, layerAt } from '../../web/editor/hits.mjs'
import { bounds, box, scaleOf, turnedSize } from '../../web/editor/placement.mjs'
import { documentOf } from './fixtures.mjs'

const canvas = { width: 400, height: 200 }
const placed = (layer, size) => {
  const document = documentOf({ aaaa: layer }, canvas)
  return box(document, document.layers[0], size)
}
const applied = ([a, b, c, d, e, f], x, y) => [a * x + c * y + e, b * x + d * y + f].map((one) => Math.round(one * 1e6) / 1e6)

test('a turned rectangle needs this much room, exactly at quarter turns', () => {
  assert.deepEqual(turnedSize(30, 70, 90), [70, 30])
  assert.deepEqual(turnedSize(30, 70, -180), [30, 70])
  assert.deepEqual(turnedSize(30, 70, 630), [70, 30])
  const [tall, wide] = turnedSize(10, 10, 45)
  assert.ok(Math.abs(tall - 10 * Math.SQRT2) < 1e-9 && Math.abs(wide - tall) < 1e-9)
})

test('scale 1 fits in, or covers, the canvas', () => {
  const scale = (layer, size) => {
    const document = documentOf({ aaaa: layer }, canvas)
    return scaleOf(document, document.layers[0], size)
  }
  assert.equal(scale({ fit: 'contain' }, [100, 100]), 2)
  assert.equal(scale({ fit: 'cover' }, [100, 100]), 4)
  assert.equal(scale({ fit: 'contain', rotation: 90 }, [100, 50]), 2)
  assert.equal(scale({ fit: 'cover', rotation: 90 }, [100, 50]), 8)
  assert.equal(scale({ fit: 'pixels', scale: 3 }, [100, 50]), 3)
})

test('the matrix takes the corners of the picture to the canvas, turned counter-clockwise', () => {
  const { matrix, cx, cy, width, height, radians } = placed({ x: 0.25, y: 0.5, scale: 2, rotation: 90 }, [30, 10])
  assert.deepEqual([cx, cy, width, height, radians], [100, 100, 60, 20, -Math.PI / 2])
  assert.deepEqual(applied(matrix, 0, 0), [90, 130])
  assert.deepEqual(applied(matrix, 30, 0), [90, 70])
  assert.deepEqual(applied(placed({ flip: 'horizontal' }, [30, 10]).matrix, 0, 0), [215, 95])
  assert.deepEqual(applied(placed({ flip: 'both' }, [30, 10]).matrix, 0, 0), [215, 105])
})

test('a picture that has not arrived has the size that the document says', () => {
  assert.equal(placed({ size: [50, 40] }).width, 50)
  assert.equal(placed({}).width, 256)
})

test('bounds are those of the turned box', () => {
  const { left, right, top, bottom } = bounds(placed({ rotation: 90 }, [30, 10]))
  assert.deepEqual([left, right, top, bottom].map(Math.round), [195, 205, 85, 115])
})

/** Pictures of 10 x 10 that can be seen in their left half only. */
function halves(names, state = 'ready') {
  const data = new Uint8Array(100).map((_, i) => (i % 10 < 5 ? 2 : 1))
  const picture = { state, width: 20, height: 20, alpha: () => ({ width: 10, height: 10, data }) }
  return { get: (name) => (names.includes(name) ? picture : { state: 'loading' }) }
}

test('a click takes what can be seen, and again what lies below', () => {
  const layers = { aaaa: { scale: 4 }, bbbb: { scale: 2, flip: 'horizontal' }, cccc: { visible: false, scale: 9 } }
  const document = documentOf(layers, { width: 200, height: 200 })
  const pictures = halves(['aaaa.png', 'bbbb.png', 'cccc.png'])
  assert.equal(layerAt(document, pictures, 90, 100), 'aaaa') // the empty half of the upper one
  assert.equal(layerAt(document, pictures, 110, 100), 'bbbb')
  assert.equal(layerAt(document, pictures, 110, 100, { below: 'bbbb' }), null)
  assert.equal(layerAt(document, pictures, 90, 100, { below: 'bbbb' }), 'aaaa')
  assert.equal(layerAt(document, pictures, 90, 100, { below: 'aaaa' }), null)
  assert.equal(layerAt(document, pictures, 199, 100), null)
})

test('a layer whose picture has not arrived is a box', () => {
  const document = documentOf({ aaaa: { size: [10, 10] } }, { width: 200, height: 200 })
  assert.equal(layerAt(document, halves([]), 104, 104), 'aaaa')
  assert.equal(layerAt(document, halves([]), 106, 104), null)
})

test('a point of the canvas is a pixel of the picture', () => {
  const turned = placed({ scale: 2, rotation: 90, flip: 'horizontal' }, [30, 10])
  const [x, y] = inside(turned, [30, 10], ...applied(turned.matrix, 7, 3))
  assert.ok(Math.abs(x - 7) < 1e-6 && Math.abs(y - 3) < 1e-6)
  assert.equal(inside(turned, [30, 10], ...applied(turned.matrix, 31, 3)), null)
})

test('a photo behind all else covers the canvas, a large object in front of it does not', () => {
  const whole = (alpha) => ({ get: () => ({ state: 'ready', width: 10, height: 10, alpha: () => alpha }) })
  const data = new Uint8Array(100).fill(255)
  const covers = (layer, alpha = data) => {
    const document = documentOf({ aaaa: { fit: 'cover', ...layer } }, canvas)
    return coversCanvas(document, document.layers[0], whole({ width: 10, height: 10, data: alpha }))
  }
  assert.ok(covers({}))
  assert.ok(covers({ rotation: 30 }))
  assert.ok(!covers({ x: 0.51 }), 'moved aside')
  assert.ok(!covers({}, data.with(20, 0)), 'one corner can be seen through')
  assert.ok(!covers({ fit: 'contain' }))
})

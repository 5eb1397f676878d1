import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frameOf, handleUnder } from '../../web/editor/layer_frame.mjs'

const pictures = { get: () => ({ state: 'ready', width: 200, height: 100 }) }
const viewport = { scale: () => 1, toView: ([x, y]) => [x, y] }
const document = { width: 400, height: 400 }
const layer = { picture: 'a.png', x: 0.5, y: 0.5, scale: 1, fit: 'pixels', rotation: 0, flip: 'none' }
const REACH = 9

test('corners scale, and the ring around them outside of the frame turns', () => {
  const frame = frameOf(document, layer, pictures, viewport)
  assert.deepEqual(frame.corners, [
    [100, 150],
    [300, 150],
    [300, 250],
    [100, 250],
  ])
  assert.deepEqual(handleUnder(frame, [304, 254], REACH), { kind: 'scale', corner: 2 })
  assert.deepEqual(handleUnder(frame, [315, 262], REACH), { kind: 'turn' })
  assert.equal(handleUnder(frame, [285, 238], REACH), null, 'inside it is moved')
  assert.equal(handleUnder(frame, [200, 255], REACH), null, 'sides have no handles')
})

test('on a graph seen from far away handles reach as far on the screen', () => {
  const frame = frameOf(document, layer, pictures, viewport)
  const at = (away, zoom) => handleUnder(frame, [300 + away, 250], REACH, zoom)?.kind
  assert.deepEqual([at(12, 1), at(12, 0.65), at(12, 2)], [undefined, 'scale', undefined])
  assert.deepEqual([at(19, 0.5), at(19, 0.1)], [undefined, undefined], 'no farther than twice')
  const ring = (zoom) => handleUnder(frame, [330, 262], REACH, zoom)?.kind
  assert.deepEqual([ring(1), ring(0.65)], [undefined, 'turn'])
  const knob = [frame.knob[0] + 15, frame.knob[1]]
  assert.deepEqual([1, 0.65].map((zoom) => handleUnder(frame, knob, REACH, zoom)?.kind), [undefined, 'turn'])
})

test('the knob over the upper edge turns, wherever the layer is turned to', () => {
  const upright = frameOf(document, layer, pictures, viewport)
  assert.deepEqual(handleUnder(upright, upright.knob, REACH), { kind: 'turn' })
  assert.ok(upright.knob[1] < 150)
  const turned = frameOf(document, { ...layer, rotation: 90 }, pictures, viewport)
  assert.ok(turned.knob[0] < 150, 'counter-clockwise: the upper edge is on the left')
})

test('a layer smaller than its handles can still be taken by its middle', () => {
  const frame = frameOf(document, { ...layer, scale: 0.02 }, pictures, viewport)
  assert.equal(handleUnder(frame, [200, 200], REACH), null)
  assert.equal(handleUnder(frame, [200, 200], REACH, 0.2), null)
})

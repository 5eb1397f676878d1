import assert from 'node:assert/strict'
import test from 'node:test'
import { read, write } from '../../web/editor/document.mjs'
import * as edits from '../../web/editor/edits.mjs'
import { documentOf } from './fixtures.mjs'

const order = (document) => document.layers.map((layer) => layer.id).join(' ')
const abcd = documentOf({ aaaa: 'a', bbbb: 'b', cccc: 'c', dddd: 'd' })

test('layers go up and down past those that stay', () => {
  assert.equal(order(edits.reorder(abcd, ['bbbb'], 'up')), 'aaaa cccc bbbb dddd')
  assert.equal(order(edits.reorder(abcd, ['bbbb'], 'down')), 'bbbb aaaa cccc dddd')
  assert.equal(order(edits.reorder(abcd, ['aaaa', 'bbbb'], 'down')), 'aaaa bbbb cccc dddd')
  assert.equal(order(edits.reorder(abcd, ['aaaa', 'cccc'], 'up')), 'bbbb aaaa dddd cccc')
  assert.equal(order(edits.reorder(abcd, ['aaaa', 'cccc'], 'top')), 'bbbb dddd aaaa cccc')
  assert.equal(order(edits.reorder(abcd, ['bbbb', 'dddd'], 'bottom')), 'bbbb dddd aaaa cccc')
  assert.equal(order(edits.reorder(abcd, ['dddd'], 1)), 'aaaa dddd bbbb cccc')
})

test('a locked layer keeps its place and stays', () => {
  const document = documentOf({ aaaa: { text: 'a', locked: true } }, { prompt: 'a' })
  assert.deepEqual(edits.moveBy(document, ['aaaa'], 5, 5), document)
  assert.deepEqual(edits.removeLayers(document, ['aaaa']), document)
  assert.equal(edits.setLayer(document, 'aaaa', { locked: false }).layers[0].locked, false)
})

test('places are in pixels of the canvas, angles within a turn, numbers in their range', () => {
  const document = documentOf({ aaaa: 'a' }, { width: 1000, height: 500 })
  const first = (edited) => edited.layers[0]
  const { x, y } = first(edits.placeAt(document, 'aaaa', 100, 125))
  assert.deepEqual([x, y], [0.1, 0.25])
  assert.equal(first(edits.moveBy(document, ['aaaa'], 1e9, 0)).x, 5)
  assert.equal(first(edits.scaleBy(document, ['aaaa'], 1 / 3)).scale, 0.3333)
  assert.equal(first(edits.scaleBy(document, ['aaaa'], 0)).scale, 0.001)
  assert.equal(first(edits.turnBy(document, ['aaaa'], 190)).rotation, -170)
  assert.equal(first(edits.turnBy(document, ['aaaa'], -730)).rotation, -10)
  assert.equal(first(edits.setLayer(document, 'aaaa', { noise: 7 })).noise, 1)
})

test('flips add up', () => {
  const one = documentOf({ aaaa: 'a' })
  const flipped = (...ways) => ways.reduce((document, way) => edits.flip(document, ['aaaa'], way), one).layers[0].flip
  assert.equal(flipped('horizontal'), 'horizontal')
  assert.equal(flipped('horizontal', 'vertical'), 'both')
  assert.equal(flipped('horizontal', 'vertical', 'horizontal'), 'vertical')
  assert.equal(flipped('vertical', 'vertical'), 'none')
})

test('copies lie above their layers, aside, with ids of their own, and share the words', () => {
  const document = documentOf({ aaaa: 'a mug', bbbb: 'a lemon' }, { prompt: 'a mug, a lemon' })
  const copied = edits.duplicateLayers(document, ['aaaa'], { newIds: ['copy'] })
  assert.equal(order(copied), 'aaaa copy bbbb')
  assert.equal(copied.layers[1].x, 0.5469)
  assert.equal(copied.prompt, document.prompt)
  assert.equal(new Set(order(edits.duplicateLayers(abcd, ['aaaa', 'bbbb'])).split(' ')).size, 6)
})

test('a collage holds 64 layers', () => {
  let document = abcd
  for (let i = 0; i < 80; i += 1) document = edits.addLayer(document, { picture: 'a.png' })
  document = edits.duplicateLayers(document, ['aaaa'])
  assert.equal(document.layers.length, 64)
  assert.deepEqual(read(write(document)).problems, [])
})

test('the sentence follows the layers', () => {
  let document = documentOf({})
  document = edits.addLayer(document, { id: 'aaaa', picture: 'a.png', text: 'a blue mug' })
  document = edits.addLayer(document, { id: 'bbbb', picture: 'b.png', text: 'a lemon' })
  assert.equal(document.prompt, 'a blue mug, a lemon')
  document = edits.setPrompt(document, 'a blue mug and a lemon on a table')
  document = edits.setWords(document, 'bbbb', 'a pear')
  assert.equal(document.prompt, 'a blue mug and a pear on a table')
  document = edits.removeLayers(document, ['aaaa'])
  assert.equal(document.prompt, 'a pear on a table')
  document = edits.setPrompt(document, 'a table')
  assert.equal(edits.addWords(document, 'bbbb').prompt, 'a table, a pear')
})

test('the canvas is made of whole cells', () => {
  const { width, height } = edits.setCanvas(abcd, { width: 1003, height: 3 })
  assert.deepEqual([width, height], [1000, 64])
  assert.equal(edits.setCanvas(abcd, { background: '#fff' }).background, '#fff')
})

test('fit and centre bring a lost layer back', () => {
  const lost = documentOf({ aaaa: { x: 4, y: -3, scale: 9 } })
  const { x, y, scale, fit } = edits.fit(lost, ['aaaa']).layers[0]
  assert.deepEqual([x, y, scale, fit], [0.5, 0.5, 1, 'contain'])
  assert.equal(edits.centre(lost, ['aaaa']).layers[0].scale, 9)
})

// Colours of layers and what lies over the canvas.
import assert from 'node:assert/strict'
import test from 'node:test'
import { readColour } from '../../web/editor/choices.mjs'
import { reorder } from '../../web/editor/edits.mjs'
import { parseNumber } from '../../web/editor/fields.mjs'
import { Model } from '../../web/editor/model.mjs'
import { beginEdit, setEdit } from '../../web/editor/result_edits.mjs'
import { PALETTE, colourOf, overlayPixels } from '../../web/editor/overlays.mjs'

function modelOf(...layers) {
  const model = new Model()
  const given = layers.map((layer) => ({ picture: 'a.png', size: [8, 8], text: 'a', ...layer }))
  model.set(JSON.stringify({ version: 1, width: 64, height: 64, prompt: 'a', layers: given }))
  return model
}

test('a layer keeps its colour when the order changes, and each has another one', () => {
  const model = modelOf({ id: 'one1' }, { id: 'two2' }, { id: 'tri3' })
  const before = ['one1', 'two2', 'tri3'].map((id) => colourOf(model, id))
  assert.deepEqual(before, PALETTE.slice(0, 3))
  model.edit('order', (document) => reorder(document, ['tri3'], 'bottom'))
  assert.deepEqual(
    ['one1', 'two2', 'tri3'].map((id) => colourOf(model, id)),
    before,
  )
})

test('more layers than colours begin again', () => {
  const ids = Array.from({ length: 14 }, (_, i) => `id${i + 10}`)
  const model = modelOf(...ids.map((id) => ({ id })))
  const colours = ids.map((id) => colourOf(model, id))
  assert.equal(new Set(colours).size, PALETTE.length)
})

/** Two layers, the left half and the right half of 64 x 64. */
function halves(left, right) {
  const model = modelOf({ id: 'left', noise: left }, { id: 'righ', noise: right })
  const visible = { left: new Uint8Array(4096), righ: new Uint8Array(4096) }
  for (let i = 0; i < 4096; i += 1) visible[i % 64 < 32 ? 'left' : 'righ'][i] = 255
  return { model, composite: { document: model.document, width: 64, height: 64, visible } }
}

test('masks show each layer in its colour, with a rim where they meet', () => {
  const { model, composite } = halves(0.5, 0.5)
  const { width, height, pixels } = overlayPixels(model, composite, 'masks')
  assert.deepEqual([width, height], [64, 64])
  const at = (x, y) => [...pixels.slice((y * 64 + x) * 4, (y * 64 + x) * 4 + 4)]
  const rgb = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16))
  assert.deepEqual(at(10, 32).slice(0, 3), rgb(PALETTE[0]))
  assert.deepEqual(at(50, 32).slice(0, 3), rgb(PALETTE[1]))
  assert.ok(at(31, 32)[3] === 255 && at(10, 32)[3] < 160)
})

test('in an edit only what it paints anew has noise, whatever the layers say', () => {
  const { model, composite } = halves(1, 0)
  const picture = `collage/${'a'.repeat(64)}.png`
  model.edit('edit', (document) => setEdit(beginEdit(document, picture, ['righ']), { noise: 1 }))
  const { pixels } = overlayPixels(model, { ...composite, document: model.document }, 'noise')
  const at = (x) => [...pixels.slice((8 * 16 + x) * 4, (8 * 16 + x) * 4 + 3)].reduce((sum, one) => sum + one)
  assert.ok(at(0) < 40 && at(15) > 600, `${at(0)} ${at(15)}`)
})

test('noise runs from black to pale yellow and is soft between layers', () => {
  const { model, composite } = halves(0, 1)
  const { width, height, pixels } = overlayPixels(model, composite, 'noise')
  assert.deepEqual([width, height], [16, 16])
  const at = (x) => [...pixels.slice((8 * 16 + x) * 4, (8 * 16 + x) * 4 + 3)].reduce((sum, one) => sum + one)
  assert.ok(at(0) < 40 && at(15) > 600, `${at(0)} ${at(15)}`)
  const line = Array.from({ length: 16 }, (_, x) => at(x))
  assert.deepEqual(
    line,
    [...line].sort((a, b) => a - b),
    'it rises from left to right',
  )
  assert.ok(line[7] > line[0] && line[8] < line[15])
})

test('noise is nowhere where no layer shows', () => {
  const model = modelOf({ id: 'none' })
  const composite = {
    document: model.document,
    width: 64,
    height: 64,
    visible: { none: new Uint8Array(4096) },
  }
  assert.ok(overlayPixels(model, composite, 'noise').pixels.every((value) => value === 0))
  assert.equal(overlayPixels(model, composite, 'plain'), null)
})

test('numbers and colours are read as people write them', () => {
  assert.deepEqual(['0,5', ' 12 px', '-3.25°', '50%', '.5'].map(parseNumber), [0.5, 12, -3.25, 50, 0.5])
  for (const text of ['', 'x', '1e3', '1.2.3', '--1', 'Infinity'])
    assert.ok(Number.isNaN(parseNumber(text)), text)
  assert.deepEqual(['#FFF', '969696', ' #aAbBcC '].map(readColour), ['#ffffff', '#969696', '#aabbcc'])
  assert.deepEqual(['red', '#ff', '#ff00ff00', ''].map(readColour), ['', '', '', ''])
})

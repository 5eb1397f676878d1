import assert from 'node:assert/strict'
import test from 'node:test'
import { write } from '../../web/editor/document.mjs'
import { addLayer, moveBy, removeLayers, setCanvas } from '../../web/editor/edits.mjs'
import { Model } from '../../web/editor/model.mjs'
import { beginEdit, paintedBy, toggleEdited } from '../../web/editor/result_edits.mjs'
import { documentOf } from './fixtures.mjs'

function modelOf(layers) {
  const model = new Model()
  model.set(write(documentOf(layers)))
  return model
}

const moved = (dx) => (document) => moveBy(document, ['aaaa'], dx, 0)

function heard(model) {
  const said = []
  model.subscribe(({ what, label }) => said.push(label ? `${what} ${label}` : what))
  return said
}

test('a gesture is one step, however many drafts it had', () => {
  const model = modelOf({ aaaa: 'a' })
  const said = heard(model)
  const text = model.text
  model.draft(moved(10))
  model.draft(moved(41.2))
  assert.equal(model.text, text)
  assert.equal(model.document.layers[0].x, 0.6)
  assert.ok(model.commit('move'))
  assert.deepEqual(said, ['draft', 'draft', 'document move'])
  assert.equal(JSON.parse(model.text).layers[0].x, 0.6)
  model.undo()
  assert.equal(model.text, text)
  assert.deepEqual([model.canUndo, model.canRedo, model.redoLabel], [false, true, 'move'])
  model.redo()
  assert.equal(model.document.layers[0].x, 0.6)
})

test('a gesture that is given up leaves nothing', () => {
  const model = modelOf({ aaaa: 'a' })
  const before = model.document
  model.draft(moved(10))
  model.cancel()
  assert.equal(model.document, before)
  assert.equal(model.commit('move'), false)
  assert.equal(model.canUndo, false)
})

test('what changes nothing makes no step', () => {
  const model = modelOf({ aaaa: 'a' })
  assert.equal(model.edit('move', moved(0.001)), false)
  assert.equal(model.canUndo, false)
  model.edit('canvas', (document) => setCanvas(document, { width: 1024 }))
  model.undo()
  model.edit('move', moved(0))
  assert.ok(model.canRedo, 'an empty step must not end what can be redone')
})

test('the choice stays where the layers still are', () => {
  const model = modelOf({ aaaa: 'a', bbbb: 'b' })
  model.choose(['aaaa', 'bbbb', 'none'])
  assert.deepEqual(model.chosen, ['aaaa', 'bbbb'])
  assert.equal(model.primary.id, 'bbbb')
  model.edit('delete', (document) => removeLayers(document, ['bbbb']))
  assert.deepEqual(model.chosen, ['aaaa'])
  model.undo()
  assert.deepEqual(model.chosen, ['aaaa'])
})

test('a layer that is being dragged in can be chosen, and is not when it is given up', () => {
  const model = modelOf({ aaaa: 'a' })
  model.draft((document) => addLayer(document, { id: 'cccc', picture: 'c.png' }))
  model.choose(['cccc'])
  assert.equal(model.primary.id, 'cccc')
  model.cancel()
  assert.equal(model.primary, null)
})

test("the page's own undo and redo are steps in the same history", () => {
  const model = modelOf({ aaaa: 'a' })
  const first = model.text
  model.edit('move', moved(10))
  const second = model.text
  model.set(first)
  assert.deepEqual([model.text, model.canUndo, model.canRedo], [first, false, true])
  model.set(second)
  assert.deepEqual([model.text, model.canUndo, model.canRedo], [second, true, false])
  model.set(write(documentOf({ dddd: 'd' })))
  model.undo()
  assert.equal(model.text, second)
})

test('the first text of a widget is no step', () => {
  assert.equal(modelOf({ aaaa: 'a' }).canUndo, false)
})

test('a text that cannot be read is never written over', () => {
  const model = new Model()
  model.set('{"version": 9}')
  assert.equal(model.readable, false)
  assert.equal(model.edit('add', (document) => addLayer(document, { picture: 'c.png' })), false)
  assert.equal(model.text, '{"version": 9}')
  assert.match(model.problems[0], /newer version/)
})

test('the history is long, and ends', () => {
  const model = modelOf({ aaaa: 'a' })
  for (let i = 0; i < 300; i += 1) model.edit('move', moved(1))
  let steps = 0
  while (model.undo()) steps += 1
  assert.equal(steps, 200)
})

test('who does not listen any more is not told', () => {
  const model = modelOf({ aaaa: 'a' })
  const said = []
  const end = model.subscribe((news) => said.push(news))
  end()
  model.choose(['aaaa'])
  assert.deepEqual(said, [])
})

test('a step whose text could not be read again is not made, and says why', () => {
  const model = modelOf({ aaaa: 'a' })
  const before = model.text
  const long = (document) => ({ ...document, prompt: 'a'.repeat(10001) })
  assert.equal(model.edit('sentence', long), false)
  assert.match(model.refusal, /^Document: prompt is .* at most 10000 characters\.$/)
  assert.deepEqual([model.text, model.document.prompt, model.drafting, model.canUndo], [before, '', false, false])
  const full = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`id${10 + i}`, { text: 'a' }]))
  const other = modelOf(full)
  const negatives = (document) => ({
    ...document,
    layers: document.layers.map((layer) => ({ ...layer, negative: 'b'.repeat(9000) })),
  })
  assert.equal(other.edit('negative', negatives), false)
  assert.match(other.refusal, /more than 256 KiB/)
  assert.equal(other.document.layers.length, 30)
  assert.ok(other.edit('move', (document) => moveBy(document, ['id10'], 9, 0)))
  assert.equal(other.refusal, '')
})

test('a layer that came after the edit began leaves it when it is deleted', () => {
  const model = modelOf({ aaaa: 'a' })
  model.edit('edit', (document) => beginEdit(document, 'result.png', ['aaaa'], paintedBy(document)))
  model.edit('add', (document) => addLayer(document, { id: 'bbbb', picture: 'b.png' }))
  model.edit('edit', (document) => toggleEdited(document, 'bbbb'))
  assert.ok(model.edit('delete', (document) => removeLayers(document, ['aaaa', 'bbbb'])))
  assert.deepEqual(model.document.edit.layers, ['aaaa'], 'what was there before it is taken away')
})

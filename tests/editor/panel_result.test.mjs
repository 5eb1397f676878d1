// Going on from a result: what the document says of it, and what is said when the edit leaves a change alone.
import assert from 'node:assert/strict'
import test from 'node:test'
import { read, write } from '../../web/editor/document.mjs'
import { moveBy, removeLayers, setLayer } from '../../web/editor/edits.mjs'
import { faultsOf } from '../../web/editor/faults.mjs'
import { Model } from '../../web/editor/model.mjs'
import { beginEdit, endEdit, leftBehind, setEdit, toggleEdited } from '../../web/editor/result_edits.mjs'
import { createTexts } from '../../web/editor/text/texts.mjs'

const PICTURE = `collage/${'a'.repeat(64)}.png`
const layer = (id, text) => ({ id, text, picture: `${id}.png`, size: [100, 100], fit: 'contain', scale: 0.4 })
const START = read(
  JSON.stringify({
    version: 1,
    prompt: 'a mug, a lemon',
    layers: [layer('mugg', 'a mug'), layer('lemo', 'a lemon')],
  }),
).document

test('the edit holds the result, what is painted anew, and the collage as it was', () => {
  const edited = beginEdit(START, PICTURE, ['lemo'])
  const again = read(write(edited))
  assert.deepEqual(again.problems, [])
  assert.deepEqual(again.document.edit.layers, ['lemo'])
  assert.equal(again.document.edit.picture, PICTURE)
  assert.deepEqual(again.document.edit.before, { prompt: START.prompt, layers: START.layers })
  assert.equal(write(endEdit(edited)), write(START))
})

test('going on from another result keeps the settings of the edit and forgets its layers', () => {
  const first = setEdit(beginEdit(START, PICTURE, ['lemo']), { noise: 0.3, background: true })
  const { edit } = beginEdit(first, 'other.png', ['mugg'])
  assert.deepEqual(
    [edit.picture, edit.layers, edit.noise, edit.background],
    ['other.png', ['mugg'], 0.3, true],
  )
})

test('what was moved, hidden or taken away and is not part of the edit is found', () => {
  const edited = beginEdit(START, PICTURE, ['lemo'])
  assert.deepEqual(leftBehind(edited), [])
  assert.deepEqual(leftBehind(moveBy(edited, ['lemo'], 9, 0)), [], 'it is painted anew')
  assert.deepEqual(leftBehind(moveBy(edited, ['mugg'], 9, 0)), ['mugg'])
  assert.deepEqual(leftBehind(setLayer(edited, 'mugg', { visible: false })), ['mugg'])
  assert.deepEqual(leftBehind(removeLayers(edited, ['mugg'])), ['mugg'])
  assert.deepEqual(leftBehind(setLayer(edited, 'mugg', { noise: 0.1 })), [], 'its place is the same')
  assert.deepEqual(leftBehind(START), [])
})

test('an edit that leaves a change alone, or changes nothing, says so and is mended', () => {
  const context = (document) => {
    const model = new Model()
    model.set(write(document))
    return { model, text: createTexts('en'), pictures: { get: () => ({ state: 'ready' }) } }
  }
  const cases = {
    left: moveBy(beginEdit(START, PICTURE, ['lemo']), ['mugg'], 9, 0),
    still: beginEdit(START, PICTURE, []),
  }
  for (const [kind, document] of Object.entries(cases)) {
    const given = context(document)
    const [fault, ...others] = faultsOf(given)
    assert.deepEqual([fault.kind, others], [kind, []])
    given.model.edit('mend', fault.mend)
    assert.deepEqual(faultsOf(given), [])
  }
  const gone = context(removeLayers(beginEdit(START, PICTURE, ['lemo']), ['mugg']))
  assert.equal(faultsOf(gone)[0].values.layer, 'a mug')
  assert.deepEqual(toggleEdited(cases.left, 'lemo').edit.layers, [])
})

// Going on from a result: what the document says of it, and what is said when the edit leaves a change alone.
import assert from 'node:assert/strict'
import test from 'node:test'
import { read, write } from '../../web/editor/document.mjs'
import { addLayer, moveBy, removeLayers, setLayer } from '../../web/editor/edits.mjs'
import { faultsOf } from '../../web/editor/faults.mjs'
import { Model } from '../../web/editor/model.mjs'
import { beginEdit, endEdit, leftBehind, paintedBy, setEdit, toggleEdited } from '../../web/editor/result_edits.mjs'
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
const begin = (ids) => beginEdit(START, PICTURE, ids, paintedBy(START))

test('the edit holds the result, what is painted anew, and the collage as it was', () => {
  const edited = begin(['lemo'])
  const again = read(write(edited))
  assert.deepEqual(again.problems, [])
  assert.deepEqual(again.document.edit.layers, ['lemo'])
  assert.equal(again.document.edit.picture, PICTURE)
  assert.deepEqual(again.document.edit.before, { prompt: START.prompt, layers: START.layers })
  assert.equal(write(endEdit(edited)), write(START))
})

test('going on from another result keeps the settings of the edit and forgets its layers', () => {
  const first = setEdit(begin(['lemo']), { noise: 0.3, background: true })
  const { edit } = beginEdit(first, 'other.png', ['mugg'], paintedBy(first))
  assert.deepEqual(
    [edit.picture, edit.layers, edit.noise, edit.background],
    ['other.png', ['mugg'], 0.3, true],
  )
})

test('what was moved since the run of the result is found, and taken away from its old place', () => {
  const moved = moveBy(START, ['mugg', 'lemo'], 40, 0)
  const edited = beginEdit(moved, PICTURE, ['lemo'], paintedBy(START))
  assert.deepEqual(edited.edit.before.layers, START.layers)
  assert.deepEqual(edited.layers, moved.layers)
  assert.deepEqual(leftBehind(edited), ['mugg'])
  assert.equal(beginEdit(moved, PICTURE, ['lemo']).edit.before, undefined, 'what it shows is not known')
})

test('the picture of an edit shows what the edit left alone as it was', () => {
  const added = addLayer(removeLayers(START, ['mugg']), layer('plat', 'a plate'))
  const edited = beginEdit(moveBy(added, ['lemo'], 40, 0), PICTURE, ['plat'], paintedBy(START))
  const { layers } = paintedBy(edited)
  assert.deepEqual(
    layers.map(({ id, x }) => [id, x]),
    [['mugg', 0.5], ['lemo', 0.5], ['plat', 0.5]],
  )
  const anew = paintedBy(setEdit(edited, { layers: ['mugg', 'lemo'] }))
  assert.deepEqual(
    anew.layers.map(({ id }) => id),
    ['lemo'],
  )
  assert.notEqual(anew.layers[0].x, 0.5)
})

test('what was moved, hidden or taken away and is not part of the edit is found', () => {
  const edited = begin(['lemo'])
  assert.deepEqual(leftBehind(edited), [])
  assert.deepEqual(leftBehind(moveBy(edited, ['lemo'], 9, 0)), [], 'it is painted anew')
  assert.deepEqual(leftBehind(moveBy(edited, ['mugg'], 9, 0)), ['mugg'])
  assert.deepEqual(leftBehind(setLayer(edited, 'mugg', { visible: false })), ['mugg'])
  assert.deepEqual(leftBehind(removeLayers(edited, ['mugg'])), ['mugg'])
  assert.deepEqual(leftBehind(setLayer(edited, 'mugg', { noise: 0.1 })), [], 'its place is the same')
  assert.deepEqual(leftBehind(START), [])
})

test('an edit that leaves a change alone, or changes nothing, says so and is mended', () => {
  const context = (document, base = { state: 'ready', width: 512, height: 512 }) => {
    const model = new Model()
    model.set(write(document))
    const get = (name) => (name === PICTURE ? base : { state: 'ready' })
    return { model, text: createTexts('en'), pictures: { get } }
  }
  const sized = context(begin(['lemo']), { state: 'ready', width: 768, height: 512 })
  assert.deepEqual(faultsOf({ ...sized, host: { links: { has: (name) => name === 'collage' } } }), [])
  const cases = {
    left: moveBy(begin(['lemo']), ['mugg'], 9, 0),
    still: begin([]),
    baseSize: sized,
    base: context(begin(['lemo']), { state: 'missing' }),
  }
  for (const [kind, document] of Object.entries(cases)) {
    const given = document.model ? document : context(document)
    const [fault, ...others] = faultsOf(given)
    assert.deepEqual([fault.kind, others], [kind, []])
    given.model.edit('mend', fault.mend)
    assert.deepEqual(faultsOf(given), [])
  }
  const gone = context(removeLayers(begin(['lemo']), ['mugg']))
  assert.deepEqual([faultsOf(gone)[0].kind, faultsOf(gone)[0].values.layer], ['leftIn', 'a mug'])
  const added = { ...addLayer(begin(['lemo']), layer('plat', 'plate')), prompt: 'a mug, a lemon, plate' }
  const [out] = faultsOf(context(added))
  assert.deepEqual([out.kind, out.values.layer], ['leftOut', 'plate'])
  assert.deepEqual(toggleEdited(cases.left, 'lemo').edit.layers, [])
})

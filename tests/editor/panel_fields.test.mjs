import assert from 'node:assert/strict'
import test from 'node:test'
import { withValue } from '../../web/editor/layer_fields.mjs'
import { documentOf } from './fixtures.mjs'

test('a field sets all chosen layers, but not the place of locked ones', () => {
  const document = documentOf({ aaaa: { locked: true }, bbbb: {}, cccc: {} })
  const set = (name, value) => withValue(document, ['aaaa', 'bbbb'], name, value).layers.map((layer) => layer[name])
  assert.deepEqual(set('x', 128), [0.5, 0.25, 0.5])
  assert.deepEqual(set('scale', 50), [1, 0.5, 1])
  assert.deepEqual(set('rotation', 9), [0, 9, 0])
  assert.deepEqual(set('fit', 'cover'), ['pixels', 'cover', 'pixels'])
  assert.deepEqual(set('noise', 0.25), [0.25, 0.25, 0.6])
})

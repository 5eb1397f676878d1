import assert from 'node:assert/strict'
import test from 'node:test'
import { EMPTY, LAYER_DEFAULTS, MAX_BYTES, newId, read, write } from '../../web/editor/document.mjs'
import * as rules from '../../web/editor/rules.mjs'
import { documentOf, json, random, valid } from './fixtures.mjs'

test('the tables are those of Python', () => {
  const defaults = (fields) =>
    Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, one.default ?? null]))
  assert.deepEqual({
    defaults: {
      document: defaults(rules.DOCUMENT_FIELDS),
      layer: defaults(rules.LAYER_FIELDS),
      edit: defaults(rules.EDIT_FIELDS),
      before: defaults(rules.BEFORE_FIELDS),
    },
    ranges: rules.RANGES,
    fits: rules.FITS,
    flips: rules.FLIPS,
    blends: rules.BLENDS,
    sides: rules.SIDES,
    most_layers: rules.MAX_LAYERS,
    most_bytes: MAX_BYTES,
    longest_text: rules.LONGEST_TEXT,
  }, json('fields.json'))
})

test('what Python refuses is refused in the same words', () => {
  for (const { name, document, message } of json('invalid.json')) {
    assert.equal(read(document).problems.join('\n'), message, name)
  }
})

test('what Python reads has no problem, and says the same after it was written', () => {
  for (const [name, text] of valid()) {
    const { document, problems, readable } = read(text)
    assert.deepEqual([problems, readable], [[], true], name)
    const again = read(write(document))
    assert.deepEqual(again.problems, [], name)
    assert.deepEqual(again.document, document, name)
  }
})

test('keys are written in one order, numbers short, unknown keys last', () => {
  const { document } = read(JSON.stringify({
    later: { kept: 0.123456789 },
    layers: [{ mine: 1, y: 0.33333333, size: [3, 2], picture: 'a.png', id: 'aaaa' }],
    version: 1,
  }))
  const layer = { id: 'aaaa', picture: 'a.png', size: [3, 2], ...LAYER_DEFAULTS, y: 0.3333, mine: 1 }
  const later = { kept: 0.123456789 }
  assert.equal(write(document), JSON.stringify({ ...EMPTY, layers: [layer], later }))
})

test('an empty text is the empty document, which nobody can change', () => {
  assert.equal(read('').document, EMPTY)
  assert.throws(() => EMPTY.layers.push({}), TypeError)
  const { document } = read(valid().find(([name]) => name === 'full.json')[1])
  assert.throws(() => { document.layers[0].x = 1 }, TypeError)
})

test('what is wrong has its default, and the rest is kept', () => {
  const wrong = [{ id: 'k3f9', picture: 'a.png', x: 9, noise: 0.1 }, { id: 'k3f9' }]
  const { document, readable } = read(JSON.stringify({ version: 1, prompt: 'mine', layers: wrong }))
  assert.ok(readable)
  assert.equal(document.prompt, 'mine')
  assert.deepEqual([document.layers[0].x, document.layers[0].noise], [0.5, 0.1])
  assert.notEqual(document.layers[1].id, document.layers[0].id)
})

test('a document beyond the limits is not read, and not written over', () => {
  const ofBytes = (count) => {
    const bare = JSON.stringify({ version: 1, note: '\u67e0' }) // unknown keys are kept; 3 bytes in UTF-8
    return bare.replace('\u67e0', `\u67e0${'x'.repeat(count - Buffer.byteLength(bare))}`)
  }
  assert.equal(Buffer.byteLength(ofBytes(MAX_BYTES)), MAX_BYTES)
  assert.deepEqual(read(ofBytes(MAX_BYTES)).problems, [])
  const long = read(ofBytes(MAX_BYTES + 1))
  assert.deepEqual([long.document, long.readable], [EMPTY, false])
  assert.match(long.problems[0], /more than 256 KiB/)
  const layers = (count) => Array.from({ length: count }, (_, i) => ({ id: `layer${i}`, picture: 'a.png' }))
  const many = (count) => read(JSON.stringify({ version: 1, layers: layers(count) }))
  assert.deepEqual([many(64).problems, many(64).document.layers.length], [[], 64])
  assert.deepEqual([many(65).document, many(65).readable], [EMPTY, false])
  assert.match(many(65).problems[0], /has 65 layers. Use at most 64/)
})

test('a document of a newer version is not readable', () => {
  const { document, readable } = read('{"version": 2, "layers": [{}]}')
  assert.deepEqual([document, readable], [EMPTY, false])
})

test('a key named __proto__ is a key like any other', () => {
  const { document } = read('{"version": 1, "__proto__": {"width": 64}}')
  assert.deepEqual([document.width, ({}).width], [512, undefined])
  assert.match(write(document), /"__proto__":\{"width":64\}/)
})

test('ids are as Python wants them', () => {
  const document = documentOf({ aaaa: 'a', bbbb: 'b' })
  for (let i = 0; i < 200; i += 1) assert.match(newId(document), /^[A-Za-z0-9_-]{4,12}$/)
})

test('no text makes the reader throw, and what it gives can be written and read', () => {
  const next = random(7)
  const pick = (list) => list[Math.floor(next() * list.length)]
  const seeds = [...valid().map(([, text]) => text), ...json('invalid.json').map((one) => one.document)]
  const pieces = ['null', '[]', '{}', '-1', '1e999', '"\\ud800"', 'true', '"a"', '[[[', ',', '"', '__proto__', '\0']
  for (let i = 0; i < 5000; i += 1) {
    let text = pick(seeds)
    for (let n = 1 + Math.floor(next() * 3); n > 0; n -= 1) {
      const at = Math.floor(next() * text.length)
      text = text.slice(0, at) + pick(pieces) + text.slice(at + Math.floor(next() * 8))
    }
    const { document, problems, readable } = read(text)
    assert.ok(readable || problems.length, text)
    const left = read(write(document)).problems.filter((one) => !one.includes('picture is ""'))
    assert.deepEqual(left, [], text)
  }
})

test('deep nesting ends in a sentence or in a document', () => {
  for (const depth of [1000, 60000]) {
    const text = `{"version": 1, "deep": ${'['.repeat(depth)}${']'.repeat(depth)}}`
    assert.ok(Array.isArray(read(text).problems))
  }
})

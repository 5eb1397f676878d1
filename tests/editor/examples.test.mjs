// The documents of the examples are what the page itself would write.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { read, write } from '../../web/editor/document.mjs'

const API = new URL('../../workflows/api/', import.meta.url)
const EXAMPLES = readdirSync(API).filter((name) => name.endsWith('_editor.json'))

test('there are examples on the canvas', () => assert.equal(EXAMPLES.length, 2))

for (const name of EXAMPLES) {
  test(`${name} is as the page writes it`, () => {
    const nodes = Object.values(JSON.parse(readFileSync(new URL(name, API), 'utf8')))
    const { document: text } = nodes.find((node) => node.class_type === 'CollageEditor').inputs
    const { document, problems } = read(text)
    assert.deepEqual(problems, [])
    assert.ok(document.layers.length > 3)
    assert.equal(write(document), text)
  })
}

// The editor speaks English and Chinese: the same keys, the same placeholders, nothing left over.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import test from 'node:test'
import { firstLine } from '../../web/editor/messages.mjs'
import en from '../../web/editor/text/en.mjs'
import { createTexts, textsOf } from '../../web/editor/text/texts.mjs'
import zh from '../../web/editor/text/zh.mjs'

const FOLDER = new URL('../../web/editor/', import.meta.url)
const placeholders = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort()

test('both languages have the same keys in the same order', () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en))
})

test('both languages fill in the same placeholders, and no text is empty', () => {
  for (const [key, text] of Object.entries(en)) {
    assert.deepEqual(placeholders(zh[key]), placeholders(text), key)
    assert.ok(text.trim() && zh[key].trim(), key)
  }
})

test('every text that the code asks for by name is there', () => {
  const sources = readdirSync(FOLDER).filter((name) => name.endsWith('.mjs'))
  for (const name of sources) {
    const source = readFileSync(new URL(name, FOLDER), 'utf8')
    for (const [, key] of source.matchAll(/\b(?:text|say|refuse)\('([\w. ]+)'/g))
      assert.ok(key in en, `${name}: ${key}`)
    for (const [, key] of source.matchAll(/\b(?:edit|commit)\('(\w+)'/g))
      assert.ok(`step.${key}` in en, `${name}: step.${key}`)
  }
})

test('a locale picks its language, and English where the editor does not speak it', () => {
  assert.equal(textsOf('zh-TW'), zh)
  assert.equal(textsOf('zh'), zh)
  assert.equal(textsOf('fr'), en)
  assert.equal(textsOf(undefined), en)
})

test('values are put in as they are, also those that look like placeholders', () => {
  const text = createTexts('en')
  assert.equal(
    text('message.missing', { layer: '$& {layer}' }),
    'The sentence does not mention "$& {layer}".',
  )
  assert.equal(text('no.such.text'), 'no.such.text')
})

test('what a run says of the canvas is said in the language of the page', () => {
  const line = 'Canvas 80 x 40 pixels, 2 of 3 layers shown, the background on 50.0 % of it.'
  assert.equal(firstLine(`${line}\n\nmore`, createTexts('en')), line)
  assert.equal(firstLine(line, createTexts('zh')), '画布 80 x 40 像素，显示 3 个图层中的 2 个，背景占 50.0 %。')
  const notes = `${line} 2 notes, marked with !.`
  assert.equal(firstLine(notes, createTexts('zh')), notes, 'nothing is left out')
})

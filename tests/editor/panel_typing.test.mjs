// Typing in the sentence: what changed, and whether it was the words of a layer.
import assert from 'node:assert/strict'
import test from 'node:test'
import { pieces } from '../../web/editor/prompt_field.mjs'
import { changeOf, renamedBy } from '../../web/editor/typing.mjs'
import { findPhrases } from '../../web/editor/words.mjs'

const LAYERS = [
  { id: 'mugg', text: 'a blue mug' },
  { id: 'lemo', text: 'lemon' },
]
const SENTENCE = 'a blue mug and a lemon, morning'

/** `|` in `typed` is the caret after typing. */
function rename(typed, before = SENTENCE, layers = LAYERS) {
  const after = typed.replace('|', '')
  const change = changeOf(before, after, typed.indexOf('|'))
  return renamedBy(before, findPhrases(before, layers).places, change)
}

test('the change is found where the caret is, also among equal letters', () => {
  assert.deepEqual(changeOf('a lemon', 'a llemon', 3), { start: 2, end: 2, text: 'l' })
  assert.deepEqual(changeOf('a lemon', 'a llemon', 4), { start: 3, end: 3, text: 'l' })
  assert.deepEqual(changeOf('aaa', 'aa', 1), { start: 1, end: 2, text: '' })
  assert.deepEqual(changeOf('', 'abc', 3), { start: 0, end: 0, text: 'abc' })
  assert.deepEqual(changeOf('abc', 'abc', 1), { start: 1, end: 3 - 2, text: '' })
})

test('a word changed inside a phrase changes the words of its layer', () => {
  assert.deepEqual(rename('a red| mug and a lemon, morning'), { ids: ['mugg'], text: 'a red mug' })
  assert.deepEqual(rename('a blue mu| and a lemon, morning'), { ids: ['mugg'], text: 'a blue mu' })
})

test('letters that go on with the last word belong to the phrase, others do not', () => {
  assert.deepEqual(rename('a blue mugs| and a lemon, morning'), { ids: ['mugg'], text: 'a blue mugs' })
  assert.equal(rename('a blue mug | and a lemon, morning'), null)
  assert.equal(rename('a blue mug,| and a lemon, morning'), null)
  assert.equal(rename('a blue mug and a x|lemon, morning'), null, 'what is typed before a phrase')
  assert.equal(rename('the |a blue mug and a lemon, morning'), null)
})

test('text between phrases, and a phrase that is taken out whole, change no words', () => {
  assert.equal(rename('a blue mug beside| a lemon, morning'), null)
  assert.equal(rename('| and a lemon, morning'), null)
  assert.equal(rename('a blue| lemon, morning'), null, 'over the edge of a phrase')
})

test('a phrase that is marked whole and typed over is renamed', () => {
  assert.deepEqual(rename('a blue mug and a pear|, morning'), { ids: ['lemo'], text: 'pear' })
  assert.deepEqual(rename('this cup| and a lemon, morning'), { ids: ['mugg'], text: 'this cup' })
})

test('layers that share a phrase are renamed together', () => {
  const layers = [
    { id: 'one1', text: 'cake' },
    { id: 'two2', text: 'cake' },
  ]
  assert.deepEqual(rename('two cakes|', 'two cake', layers), { ids: ['one1', 'two2'], text: 'cakes' })
})

test('the inner phrase is the one that is meant', () => {
  const layers = [
    { id: 'rbea', text: 'red bear' },
    { id: 'bear', text: 'bear' },
  ]
  assert.deepEqual(rename('a red boar|', 'a red bear', layers)?.ids, ['bear'])
})

test('a sentence is cut at the edges of its phrases, and nothing of it is lost', () => {
  const { places } = findPhrases('a red bear, here', [
    { id: 'rbea', text: 'red bear' },
    { id: 'bear', text: 'bear' },
  ])
  const cut = pieces('a red bear, here', places)
  assert.equal(cut.map((piece) => piece.text).join(''), 'a red bear, here')
  assert.deepEqual(
    cut.map((piece) => [piece.text, piece.place?.ids[0] ?? '']),
    [
      ['a ', ''],
      ['red ', 'rbea'],
      ['bear', 'bear'],
      [', here', ''],
    ],
  )
  assert.deepEqual(pieces('', []), [])
})

test('a phrase is marked a little beyond its words, but over no comma', () => {
  const prompt = 'ginger, rice and sushi'
  const { places } = findPhrases(prompt, ['ginger', 'rice', 'sushi'].map((text) => ({ id: text, text })))
  const rooms = pieces(prompt, places).filter(({ place }) => place).map(({ text, room }) => [text, ...room])
  assert.deepEqual(rooms, [['ginger', true, false], ['rice', true, true], ['sushi', true, true]])
})

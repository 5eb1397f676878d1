import assert from 'node:assert/strict'
import test from 'node:test'
import { withOtherWords, withWords, withoutWords } from '../../web/editor/sentence.mjs'
import { splitWords } from '../../web/editor/syntax.mjs'
import { appendWords, findPhrases, removeWords, replaceWords } from '../../web/editor/words.mjs'
import { json, random } from './fixtures.mjs'

test('of a sentence whose words are all gone no little words stay', () => {
  const layers = ['box', 'rice', 'cloth'].map((text) => ({ id: text, text }))
  const left = layers.reduce(
    (prompt, { id }, index) => withoutWords(prompt, layers.slice(index), id),
    'a box with rice on the cloth',
  )
  assert.equal(left, '')
  const toys = ['pink cylinder', 'red cone', 'red ball', 'stone floor', 'white wall'].map((text) => ({ id: text, text }))
  const scene = 'a pink cylinder, a red cone and a red ball on a stone floor before a white wall'
  assert.equal(toys.reduce((prompt, { id }, i) => withoutWords(prompt, toys.slice(i), id), scene), '')
  assert.equal(removeWords('a', 'box'), 'a')
})

test('phrases are found where Python finds them', () => {
  for (const { prompt, layers, ...wanted } of json('phrases.json')) {
    const { places, missing, crossing } = findPhrases(prompt, layers)
    const found = places.map(({ start, end, ids }) => ({ start, end, ids }))
    assert.deepEqual({ places: found, missing, crossing: crossing.map((one) => one.id) }, wanted, prompt)
  }
})

test('a crossing says where both stand', () => {
  const { crossing } = findPhrases('red bear cub', [{ id: 'one', text: 'red bear' }, { id: 'two', text: 'bear cub' }])
  assert.deepEqual(crossing, [{ id: 'two', start: 4, end: 12, other: [0, 8] }])
})

const REMOVED = [
  ['a blue mug, a lemon and a pear', 'a lemon', 'a blue mug and a pear'],
  ['a blue mug, a lemon and a pear', 'a pear', 'a blue mug, a lemon'],
  ['a blue mug, a lemon and a pear', 'a blue mug', 'a lemon and a pear'],
  ['a blue mug and a lemon on a wooden table', 'a lemon', 'a blue mug on a wooden table'],
  ['a blue mug and a lemon on a wooden table', 'a blue mug', 'a lemon on a wooden table'],
  ['A sandy room, a lemon, and a pear', 'a lemon', 'A sandy room, and a pear'],
  ['(a red fox:1.2), a tree', 'a red fox', 'a tree'],
  ['(a red fox, a tree:1.2)', 'a red fox', '(a tree:1.2)'],
  ['((fox)) and a tree', 'fox', 'a tree'],
  ['a (red:1.2) fox, a tree', 'a red fox', 'a tree'],
  ['(a red fox jumps:1.2)', 'jumps', '(a red fox:1.2)'],
  ['one\na lemon\nthree', 'a lemon', 'one\nthree'],
  ['one,\na lemon,\nthree', 'a lemon', 'one,\nthree'],
  ['红狐狸，柠檬，树', '柠檬', '红狐狸，树'],
  ['a lemon.', 'a lemon', ''],
  ['sand and a lemon', 'a lemon', 'sand'],
  ['a mug', 'a lemon', 'a mug'],
  ['a box at night', 'box', 'at night'],
  ['a red cone and a red ball on a stone floor before a white wall', 'red cone', 'a red ball on a stone floor before a white wall'],
  ['a red cone and a red ball on a stone floor before a white wall', 'stone floor', 'a red cone and a red ball before a white wall'],
  ['a red ball on a stone floor before a white wall', 'white wall', 'a red ball on a stone floor'],
  ['a ball next to the (stone floor:1.2), morning light', 'stone floor', 'a ball, morning light'],
  ['a cup on (the table:1.2)', 'table', 'a cup'],
  ['on a table and a chair', 'table', 'on a chair'],
  ['a banana table', 'table', 'a banana'],
]

test('words are taken out with the comma or "and" that led to them', () => {
  for (const [prompt, text, wanted] of REMOVED) assert.equal(removeWords(prompt, text), wanted)
})

const REPLACED = [
  ['a (red fox:1.2) in snow', 'red fox', 'wolf', 'a (wolf:1.2) in snow'],
  ['a (red:1.2) fox in snow', 'a red fox', 'a red wolf', 'a (red:1.2) wolf in snow'],
  ['(a red:1.2) fox jumps', 'red fox', 'wolf', '(a wolf:1.2) jumps'],
  ['Red  Fox, red fox', 'red fox', 'a wolf', 'a wolf, a wolf'],
  ['红狐狸在', '狐狸', '狼', '红狼在'],
  ['a mug!b', '!', 'x', 'a mug x b'],
  ['a table', 'a mug', 'a lemon', 'a table, a lemon'],
  ['a mug and a spoon', 'a mug', '', 'a spoon'],
]

test('other words stand where the old ones stood', () => {
  for (const [prompt, old, text, wanted] of REPLACED) assert.equal(replaceWords(prompt, old, text), wanted)
})

const APPENDED = [
  ['', 'a mug', 'a mug'],
  ['a mug', 'a lemon', 'a mug, a lemon'],
  ['a mug and ', 'a lemon', 'a mug and a lemon'],
  ['A photo.', 'a lemon', 'A photo. a lemon'],
  ['a mug,', 'a lemon', 'a mug, a lemon'],
  ['红狐狸', '柠檬', '红狐狸，柠檬'],
  ['a big mug', 'mug', 'a big mug'],
  ['a mug\n', 'a lemon', 'a mug\na lemon'],
  ['a mug', '  ', 'a mug'],
]

test('new words stand at the end, once', () => {
  for (const [prompt, text, wanted] of APPENDED) assert.equal(appendWords(prompt, text), wanted)
})

test('words of other layers stay as they are', () => {
  const cakes = [{ id: 'one', text: 'cake' }, { id: 'two', text: 'cake' }]
  assert.equal(withOtherWords('two cake', cakes, 'one', 'a pie'), 'two cake, a pie')
  assert.equal(withOtherWords('cake and cake', cakes, 'two', 'pie'), 'cake and pie')
  assert.equal(withoutWords('two cake', cakes, 'one'), 'two cake')
  assert.equal(withoutWords('cake, cake', cakes, 'two'), 'cake')
  const bears = [{ id: 'bear', text: 'bear' }, { id: 'red', text: 'red bear' }]
  assert.equal(withOtherWords('a red bear and a bear', bears, 'bear', 'cub'), 'a red bear and a cub')
  assert.equal(withOtherWords('a red bear', bears, 'bear', 'cub'), 'a red bear, cub')
  assert.equal(withOtherWords('a red bear', bears, 'red', 'fox'), 'a red bear, fox')
  const salt = [{ id: 'fox', text: 'fox' }, { id: 'salt', text: 'and salt' }]
  assert.equal(withoutWords('fox and salt', salt, 'fox'), 'and salt')
  assert.equal(withWords('fox, and salt', [salt[1]], salt[0]), 'fox, and salt')
})

const NAMES = ['a red fox', 'fox', 'a mug', 'cake', '柠檬', 'salt and pepper', 'red', 'a (big:1.1) dog']
const JOINTS = [', ', ' and ', ' on a table, ', '. ', '\n', ' (very) ', ', and ', '，', ' with sand (soft:1.2) ']

test('in a thousand sentences words of others and free text stay, and new words are found', () => {
  const next = random(3)
  const pick = (list) => list[Math.floor(next() * list.length)]
  const owners = (prompt, layers) => findPhrases(prompt, layers).places.map((place) => place.ids.join())
  for (let i = 0; i < 1000; i += 1) {
    const texts = [...new Set(Array.from({ length: 1 + next() * 4 }, () => pick(NAMES)))]
    const layers = texts.map((text, n) => ({ id: `id${n}`, text }))
    const parts = texts.map((text) => (next() < 0.2 ? `(${text}:1.3)` : text) + pick(JOINTS))
    const prompt = (next() < 0.3 ? 'sand, ' : '') + parts.join('')
    const { id } = pick(layers)
    const others = layers.filter((layer) => layer.id !== id)
    const renamed = withOtherWords(prompt, layers, id, 'blue owl')
    const kept = new Set(owners(prompt, layers).filter((ids) => ids !== id))
    for (const after of [withoutWords(prompt, layers, id), renamed]) {
      const said = `${JSON.stringify(prompt)} without ${id} ${JSON.stringify(after)}`
      assert.deepEqual(new Set(owners(after, others)), kept, said)
      for (const word of ['sand', 'table', 'very', 'soft']) {
        assert.equal(after.includes(word), prompt.includes(word), said)
      }
    }
    const now = [...others, { id, text: 'blue owl' }]
    assert.deepEqual(findPhrases(renamed, now).missing, [], renamed)
  }
})

test('long prompts are read in a moment', () => {
  const started = performance.now()
  const layers = Array.from({ length: 64 }, (_, i) => ({ id: `id${i}`, text: 'a '.repeat(i + 1) }))
  findPhrases('a '.repeat(5000), layers)
  splitWords('('.repeat(5000) + ')'.repeat(5000))
  removeWords(`${' '.repeat(5000)}, fox${' '.repeat(4000)}`, 'fox')
  assert.ok(performance.now() - started < 3000)
})

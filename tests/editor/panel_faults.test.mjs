// What is wrong before a run, and that the mend offered mends it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { faultsOf } from '../../web/editor/faults.mjs'
import { Model } from '../../web/editor/model.mjs'
import { createTexts } from '../../web/editor/text/texts.mjs'

const text = createTexts('en')

function contextOf(document, { states = {}, visible = null } = {}) {
  const model = new Model()
  model.set(typeof document === 'string' ? document : JSON.stringify(document))
  return {
    model,
    text,
    pictures: { get: (name) => ({ state: states[name] ?? 'ready' }) },
    live: { current: () => visible && { document: model.document, visible } },
  }
}

const layer = (id, words, more = {}) => ({
  id,
  text: words,
  picture: `${id}.png`,
  size: [100, 100],
  fit: 'contain',
  scale: 0.5,
  ...more,
})
const collage = (prompt, ...layers) => ({ version: 1, width: 512, height: 512, prompt, layers })
const kinds = (context) => faultsOf(context).map((fault) => fault.kind)

/** Takes the mend of the only fault; -> what is wrong after it. */
function mended(context) {
  const [fault, ...others] = faultsOf(context)
  assert.deepEqual(others, [])
  assert.ok(context.model.edit('mend', fault.mend), 'the mend changes nothing')
  return kinds(context)
}

test('nothing is wrong with a collage whose words stand in its sentence', () => {
  assert.deepEqual(
    kinds(contextOf(collage('a mug and a lemon', layer('mugg', 'a mug'), layer('lemo', 'lemon')))),
    [],
  )
  assert.deepEqual(kinds(contextOf('')), [])
})

test('words that are missing are added to the sentence', () => {
  const context = contextOf(collage('a mug', layer('mugg', 'a mug'), layer('lemo', 'a lemon')))
  assert.deepEqual(kinds(context), ['missing'])
  assert.deepEqual(mended(context), [])
  assert.equal(context.model.document.prompt, 'a mug, a lemon')
})

test('a layer without words asks for them, and one whose words cross another layer', () => {
  const [empty] = faultsOf(contextOf(collage('a mug', layer('mugg', '  '))))
  assert.deepEqual([empty.kind, empty.ask, empty.weight, empty.id], ['empty', 'words', 'error', 'mugg'])
  const crossing = contextOf(collage('a red bear cub', layer('rbea', 'red bear'), layer('cubb', 'bear cub')))
  assert.deepEqual(
    faultsOf(crossing).map((fault) => [fault.kind, fault.ask]),
    [['crossing', 'words']],
  )
})

test('a layer that lies outside is brought back, one that only sticks out is left alone', () => {
  assert.deepEqual(kinds(contextOf(collage('a mug', layer('mugg', 'a mug', { x: 1.2 })))), [])
  const context = contextOf(collage('a mug', layer('mugg', 'a mug', { x: 1.5, rotation: 90 })))
  assert.deepEqual(kinds(context), ['outside'])
  assert.deepEqual(mended(context), [])
})

test('a layer that nothing shows of is brought to the top, one of opacity 0 is made visible', () => {
  const visible = { mugg: new Uint8Array(4), lemo: new Uint8Array(4).fill(255) }
  const context = contextOf(collage('a mug, a lemon', layer('mugg', 'a mug'), layer('lemo', 'a lemon')), {
    visible,
  })
  assert.deepEqual(kinds(context), ['covered'])
  assert.deepEqual(mended(context), [])
  assert.deepEqual(
    context.model.document.layers.map((one) => one.id),
    ['lemo', 'mugg'],
  )
  const clear = contextOf(collage('a mug', layer('mugg', 'a mug', { opacity: 0 })))
  assert.deepEqual(kinds(clear), ['transparent'])
  assert.deepEqual(mended(clear), [])
})

test('pictures that are missing or cannot be read come first', () => {
  const document = collage('', layer('mugg', 'a mug'), layer('lemo', 'a lemon'))
  const context = contextOf(document, { states: { 'lemo.png': 'missing', 'mugg.png': 'wrong' } })
  assert.deepEqual(kinds(context), ['pictureWrong', 'picture', 'missing', 'missing'])
  assert.deepEqual(
    faultsOf(context)
      .slice(0, 2)
      .map((fault) => fault.ask),
    ['picture', 'picture'],
  )
})

test('a hidden layer takes no part: nothing is wrong with it', () => {
  const hidden = layer('mugg', '', { visible: false, x: 4 })
  assert.deepEqual(kinds(contextOf(collage('', hidden), { states: { 'mugg.png': 'missing' } })), [])
})

test('a canvas that is no multiple of 8 is named with its sides and mended', () => {
  const context = contextOf({ ...collage('a mug', layer('mugg', 'a mug')), width: 500, height: 300 })
  const [fault] = faultsOf(context)
  assert.deepEqual(fault.values, { width: 500, height: 300, wide: 504, high: 304 })
  assert.deepEqual(mended(context), [])
  assert.deepEqual([context.model.document.width, context.model.document.height], [504, 304])
})

test('what else was not taken is told before a canvas that is no multiple of 8 is mended', () => {
  const document = { ...collage('a mug', layer('mugg', 'a mug', { opacity: 7 })), width: 500 }
  const [told, side] = faultsOf(contextOf(document))
  assert.deepEqual([told.kind, side.kind], ['problem', 'side'])
  assert.match(told.values.problem, /opacity is 7/)
})

test('what cannot be read is said, and nothing is offered that would write over it', () => {
  const [fault, ...others] = faultsOf(contextOf('{"version": 2}'))
  assert.deepEqual(
    [fault.kind, fault.mend, fault.ask, others.length],
    ['unreadable', undefined, undefined, 0],
  )
  assert.match(fault.values.problem, /version 2/)
})

test('every fault has its sentence, and a button where something can be done', () => {
  for (const kind of [
    'side',
    'missing',
    'outside',
    'covered',
    'transparent',
    'empty',
    'crossing',
    'picture',
  ]) {
    assert.notEqual(text(`message.${kind}`), `message.${kind}`)
    assert.notEqual(text(`message.${kind}Mend`), `message.${kind}Mend`)
  }
})

test('of a sentence that comes from another node nothing is said, but layers need words all the same', () => {
  const linked = (...names) => ({ host: { links: { has: (name) => names.includes(name) } } })
  const without = contextOf(collage('a mug', layer('lemo', 'a lemon'), layer('mugg', '')))
  assert.deepEqual(kinds({ ...without, ...linked() }), ['missing', 'empty'])
  assert.deepEqual(kinds({ ...without, ...linked('prompt') }), ['empty'])
  assert.deepEqual(kinds({ ...without, ...linked('collage') }), ['missing', 'empty'], 'its own counts')
  const wordless = contextOf(collage('', layer('lemo', 'a lemon')))
  assert.deepEqual(kinds({ ...wordless, ...linked('collage') }), [], 'the sentence of the stack below counts')
  assert.deepEqual(kinds({ ...wordless, ...linked('background_image') }), ['missing'])
})

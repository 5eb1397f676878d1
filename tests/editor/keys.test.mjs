import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACTIONS } from '../../web/editor/actions.mjs'
import { write } from '../../web/editor/document.mjs'
import { createKeys, pressed } from '../../web/editor/keys.mjs'
import { Model } from '../../web/editor/model.mjs'
import { documentOf } from './fixtures.mjs'

const event = (key, held = {}) => ({ key, getModifierState: () => Boolean(held.AltGraph), ...held })

test('a press is named as ACTIONS writes it, on every keyboard', () => {
  assert.deepEqual(pressed(event('z', { ctrlKey: true })), ['Ctrl+Z'])
  assert.deepEqual(pressed(event('Z', { metaKey: true, shiftKey: true })), ['Ctrl+Shift+Z'])
  assert.deepEqual(pressed(event('+', { shiftKey: true })), ['Shift++', '+'], 'Shift is in the sign')
  assert.deepEqual(pressed(event('[', { ctrlKey: true, altKey: true, AltGraph: true })), ['['])
  assert.deepEqual(pressed(event('\u044f', { ctrlKey: true, code: 'KeyZ' })), ['Ctrl+Z'], 'a Cyrillic keyboard')
  assert.deepEqual(pressed(event('\u03a7', { shiftKey: true, code: 'KeyX' })), ['Shift+X'], 'a Greek one')
  assert.deepEqual(pressed(event('z', { code: 'KeyY' })), ['Z'], 'a German one')
  assert.deepEqual(pressed(event('\u0434', { code: 'Semicolon' })), ['\u0414'], 'no letter lies there')
  assert.deepEqual(pressed(event('ArrowUp', { shiftKey: true })), ['Shift+ArrowUp'])
})

test('no two commands have the same key', () => {
  const keys = Object.values(ACTIONS).flatMap((action) => action.keys)
  assert.deepEqual(
    keys.filter((key, index) => keys.indexOf(key) !== index),
    [],
  )
})

/** Keys with a model of its own for a textarea: what a keydown does, and whether the page has it too. */
function typing(enabled = true) {
  globalThis.document = {
    createElement: () => Object.assign(new EventTarget(), { setAttribute() {}, focus() {} }),
  }
  const done = []
  const model = { canUndo: enabled, undoLabel: '', undo: () => done.push('undo') }
  const keys = createKeys({ text: (key) => key, say() {}, model, cuts: { key: () => false } })
  const type = (given, ours = true) => {
    const sent = { ...given, target: keys.root, preventDefault: () => done.push('prevented') }
    return keys.handle(sent, ours)
  }
  return { type, done }
}

test('a key of the editor acts, and the page does not have it', () => {
  const { type, done } = typing()
  assert.equal(type(event('z', { ctrlKey: true })), false)
  assert.deepEqual(done, ['prevented', 'undo'])
})

test('a key of the editor that cannot act now is not the page’s either', () => {
  const { type, done } = typing(false)
  assert.equal(type(event('z', { ctrlKey: true })), false)
  assert.deepEqual(done, ['prevented'])
})

test('the keys that queue and save stay the page’s, those of fields are theirs', () => {
  const { type, done } = typing()
  assert.equal(type(event('Enter', { ctrlKey: true })), true)
  assert.equal(type(event('s', { ctrlKey: true })), true)
  assert.equal(type(event('z', { ctrlKey: true }), false), false)
  assert.deepEqual(done, [])
})

/** Keys over a real model with one layer: `steps` counts what undo has to take back. */
function gliding() {
  typing()
  const model = new Model()
  model.set(write(documentOf({ aaaa: 'a' }, { width: 400 }))) // a pixel has 4 decimals
  model.choose(['aaaa'])
  const keys = createKeys({
    text: (key) => key, say() {}, model, cuts: { key: () => false },
    commit: (name) => model.commit(name), edit: (name, change) => model.edit(name, change),
  })
  const down = (key, held = {}) => keys.handle({ ...event(key, held), target: keys.root, preventDefault() {} }, true)
  const up = () => keys.root.dispatchEvent(new Event('keyup'))
  const moved = () => Math.round((model.document.layers[0].x - 0.5) * 400)
  const steps = () => {
    let count = 0
    while (model.undo()) count += 1
    return count
  }
  return { keys, model, down, up, moved, steps }
}

test('a key that is held makes one step, from the press until it is let go', () => {
  const { model, down, up, moved, steps } = gliding()
  const before = model.text
  down('ArrowRight')
  for (let times = 1; times < 60; times += 1) down('ArrowRight', { repeat: true })
  assert.deepEqual([moved(), model.text === before], [60, true])
  up()
  down('ArrowRight')
  up()
  assert.deepEqual([moved(), model.text === before], [61, false])
  assert.equal(steps(), 2)
})

test('another key, a pointer or a lost focus ends the step of a key that is held', () => {
  const ends = [
    ({ down }) => down('F12'),
    ({ keys }) => keys.settle(),
    ({ keys }) => keys.root.dispatchEvent(new Event('blur')),
    ({ down }) => down('Enter', { ctrlKey: true }), // the page's, which takes the document as it is
  ]
  for (const end of ends) {
    const made = gliding()
    made.down('ArrowRight')
    made.down('ArrowRight', { repeat: true })
    end(made)
    assert.deepEqual([made.model.drafting, made.moved(), made.steps()], [false, 2, 1])
  }
  const { down, moved, steps } = gliding()
  down('ArrowRight')
  down('z', { ctrlKey: true })
  assert.deepEqual([moved(), steps()], [0, 0], 'undo takes back what is under way')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACTIONS } from '../../web/editor/actions.mjs'
import { createKeys, pressed } from '../../web/editor/keys.mjs'

const event = (key, held = {}) => ({ key, getModifierState: () => Boolean(held.AltGraph), ...held })

test('a press is named as ACTIONS writes it, on every keyboard', () => {
  assert.deepEqual(pressed(event('z', { ctrlKey: true })), ['Ctrl+Z'])
  assert.deepEqual(pressed(event('Z', { metaKey: true, shiftKey: true })), ['Ctrl+Shift+Z'])
  assert.deepEqual(pressed(event('+', { shiftKey: true })), ['Shift++', '+'], 'Shift is in the sign')
  assert.deepEqual(pressed(event('[', { ctrlKey: true, altKey: true, AltGraph: true })), ['['])
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
    createElement: () => ({ setAttribute() {}, addEventListener() {}, focus() {} }),
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

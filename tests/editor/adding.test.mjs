import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wordsOf } from '../../web/editor/adding.mjs'
import { fileOf } from '../../web/editor/from_stack.mjs'

test('a file name without numbers and extension is what a layer is called', () => {
  assert.equal(wordsOf('blue_mug_01.png'), 'blue mug')
  assert.equal(wordsOf('wooden table (2).final.jpg'), 'wooden table final')
  assert.equal(wordsOf('柠檬.png'), '柠檬')
})

test('names that cameras and clipboards give say nothing', () => {
  for (const name of [
    'image.png',
    'IMG_2031.jpg',
    'DSC0001.JPG',
    'Screenshot 2026-11-26.png',
    'ComfyUI_00001_.png',
    '17.webp',
  ]) {
    assert.equal(wordsOf(name), '', name)
  }
})

test('a Load Image node names a file and its folder', () => {
  const folders = ['a.png', 'b/a.png [output]', 'a [2].png [temp]', 'a [input].png'].map(fileOf)
  assert.deepEqual(folders.map(({ file, folder }) => `${folder}:${file}`), [
    'input:a.png', 'output:b/a.png', 'temp:a [2].png', 'input:a [input].png',
  ])
})

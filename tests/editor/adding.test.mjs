import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sideBySide, wordsOf } from '../../web/editor/adding.mjs'
import { endingOf, isCollageFile } from '../../web/editor/files.mjs'
import { fileOf } from '../../web/editor/from_stack.mjs'
import { bounds, box } from '../../web/editor/placement.mjs'

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
    'ComfyUI_temp_qwfpg_00001_.png',
    `${'0a1f'.repeat(16)}.png`,
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

const cutOut = (name, size = [400, 300]) => ({ picture: name, size, fit: 'contain', scale: 0.5, x: 0.3, y: 0.2 })

test('several cut-outs that come at once lie apart, each inside of the canvas', () => {
  const canvases = [{ width: 512, height: 512 }, { width: 1024, height: 512 }, { width: 512, height: 1024 }]
  for (const canvas of canvases) {
    for (const count of [2, 3, 5, 9, 64]) {
      const layers = Array.from({ length: count }, (_, i) => cutOut(`${i}`, [100 + 90 * (i % 7), 300]))
      const boxes = sideBySide(layers, canvas).map((layer) => bounds(box({ ...canvas }, turned(layer), layer.size)))
      boxes.forEach((one, i) => {
        assert.ok(one.left > 0 && one.top > 0 && one.right < canvas.width && one.bottom < canvas.height)
        for (const other of boxes.slice(i + 1)) {
          assert.ok(one.right <= other.left || other.right <= one.left ||
            one.bottom <= other.top || other.bottom <= one.top, `${count} on ${canvas.width}`)
        }
      })
    }
  }
})
const turned = (layer) => ({ rotation: 0, flip: 'none', ...layer })

test('one cut-out lies where it was dropped, and a photo covers the canvas', () => {
  const photo = { picture: 'photo', size: [900, 500], fit: 'cover', scale: 1, x: 0.5, y: 0.5 }
  const one = [photo, cutOut('a')]
  assert.deepEqual(sideBySide(one, { width: 512, height: 512 }), one)
  const [still, ...two] = sideBySide([photo, cutOut('a'), cutOut('b')], { width: 512, height: 512 })
  assert.equal(still, photo)
  assert.deepEqual(two.map(({ x, y, scale }) => [x, y, scale]), [[0.25, 0.5, 0.45], [0.75, 0.5, 0.45]])
})

test('a file with a whole collage is known by its name, downloaded a second time too', () => {
  const endings = Object.entries({
    'bento.collage.zip': 'collage.zip', 'bento.collage (1).zip': 'collage.zip', 'a (2).COLLAGE(12).ZIP': 'collage.zip',
    'a (1).psd': 'psd', 'b.PSB': 'psb',
  })
  for (const [name, ending] of endings) assert.deepEqual([isCollageFile({ name }), endingOf(name)], [true, ending])
  for (const name of ['a.zip', 'collage.zip', 'a.collage (x).zip', 'a.psd.png']) assert.ok(!isCollageFile({ name }), name)
})

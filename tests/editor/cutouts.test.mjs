import assert from 'node:assert/strict'
import test from 'node:test'
import { findWindow, placeOfWindow, withCut } from '../../web/editor/cut_place.mjs'
import { plainGround, polygon, trim } from '../../web/editor/cutouts.mjs'
import { box } from '../../web/editor/placement.mjs'
import { documentOf, random } from './fixtures.mjs'

/** A picture drawn with letters; a space is clear. */
const COLOURS = { '.': [250, 250, 250, 255], ',': [235, 240, 250, 255], o: [200, 30, 30, 255], 
  r: [30, 250, 250, 255], g: [250, 30, 250, 255], b: [250, 250, 30, 255], '-': [200, 30, 30, 128], ' ': [9, 9, 9, 1] }
const drawn = (...rows) => ({
  width: rows[0].length,
  height: rows.length,
  data: Uint8Array.from(rows.flatMap((row) => [...row].flatMap((sign) => COLOURS[sign]))),
})
const alphas = ({ width, height, data }) =>
  Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => data[4 * (y * width + x) + 3]))

test('trimming keeps what can be seen, and says where it lay', () => {
  const { left, top, picture } = trim(drawn('     ', '  o  ', ' oo  ', '     '))
  assert.deepEqual([left, top, picture.width, picture.height], [1, 1, 2, 2])
  assert.deepEqual(picture, drawn(' o', 'oo'))
  assert.equal(trim(drawn('  ', '  ')), null)
})

test('a trimmed picture stays where it was on the canvas', () => {
  const before = drawn('      ', ' ooo  ', ' o    ', '      ')
  const trimmed = trim(before)
  for (const fields of [{}, { fit: 'contain', scale: 0.7, rotation: 33, flip: 'horizontal' }, { fit: 'cover', flip: 'both' }]) {
    const document = documentOf({ aaaa: { x: 0.3, y: 0.6, ...fields } })
    const [layer] = document.layers
    const { size, ...moved } = placeOfWindow(document, layer, [6, 4], trimmed)
    assert.deepEqual(size, [3, 2])
    const [a, b, c, d, e, f] = box(document, layer, [6, 4]).matrix
    const wanted = [a, b, c, d, a * 1 + c * 1 + e, b * 1 + d * 1 + f]
    const found = box(document, { ...layer, ...moved }, size).matrix
    found.forEach((one, i) => assert.ok(Math.abs(one - wanted[i]) < 1e-9, JSON.stringify(fields)))
  }
})

test('a plain ground goes, with a soft edge, and holes that it does not reach stay', () => {
  const cut = alphas(plainGround(drawn('.......', '.ooooo.', '.o.o.o.', '.ooooo.', ',.....,'), 0.1))
  assert.deepEqual(cut[0], [0, 0, 0, 0, 0, 0, 0])
  assert.deepEqual(cut[4], [0, 0, 0, 0, 0, 0, 0])
  assert.deepEqual(cut[1], [0, Math.round(255 * 4 / 9), 170, 170, 170, Math.round(255 * 4 / 9), 0])
  assert.deepEqual(cut[2].slice(2, 5), [255, 255, 255])
})

test('what is clear belongs to the ground, and its colour does not count', () => {
  const island = alphas(plainGround(drawn('.....', '.   .', '. . .', '.   .', '.....'), 0))
  assert.ok(island.flat().every((alpha) => alpha === 0))
  assert.equal(alphas(plainGround(drawn('    .', ' ooo.', '    .'), 0))[1][4], 0)
})

test('one channel tells an object from the ground, at every side of it', () => {
  for (const sign of ['b', 'g', 'r']) assert.ok(alphas(plainGround(drawn('...', `.${sign}.`, '...'), 0.1))[1][1])
})

test('the tolerance says how much of the ground goes', () => {
  const picture = drawn('...,,', '.o.,,', '...,,')
  assert.equal(alphas(plainGround(picture, 0))[0][4], 255)
  assert.equal(alphas(plainGround(picture, 0.1))[0][4], 0)
  assert.equal(alphas(plainGround(picture, 1))[1][1], 0)
})

test('a polygon keeps, or takes, what it surrounds', () => {
  const picture = drawn('....', '....', '....', '....')
  const square = [[1, 1], [3, 1], [3, 3], [1, 3]]
  assert.deepEqual(alphas(polygon(picture, square)), [[0, 0, 0, 0], [0, 255, 255, 0], [0, 255, 255, 0], [0, 0, 0, 0]])
  assert.deepEqual(alphas(polygon(picture, square, false))[1], [255, 0, 0, 255])
  assert.deepEqual(alphas(polygon(picture, [[0.5, 0], [2.25, 0], [2.25, 4], [0.5, 4]]))[0], [128, 255, 64, 0])
  assert.deepEqual(alphas(polygon(picture, [[0, 0], [4, 0], [0, 4]]))[0], [255, 255, 255, 128])
  assert.deepEqual(alphas(polygon(picture, [[0, 0.25], [4, 0.25], [4, 9], [0, 9]]))[0], [191, 191, 191, 191])
  assert.deepEqual(alphas(polygon(drawn('----'), [[1, 0], [3, 0], [3, 1], [1, 1]])), [[0, 128, 128, 0]])
  // a line that turns back leaves the gap between its arms
  const arms = [[0, 0], [4, 0], [4, 4], [3, 4], [3, 1], [1, 1], [1, 4], [0, 4]]
  assert.deepEqual(alphas(polygon(picture, arms))[2], [255, 0, 0, 255])
  assert.deepEqual(alphas(polygon(picture, [[-9, -9], [99, -9], [99, 99], [-9, 99]]))[3], [255, 255, 255, 255])
})

test('the picture that is cut stays as it is', () => {
  const picture = drawn('...', '.o.', '...')
  const before = structuredClone(picture)
  plainGround(picture, 1)
  polygon(picture, [[0, 0], [1, 0], [0, 1]])
  trim(picture)
  assert.deepEqual(picture, before)
})

test('a plain ground of many pixels goes along bends, and no further than its colour', () => {
  const maze = drawn('.......', '.ooooo.', '.o...o.', '.o.o.o.', '.o.ooo.', '.o.....', '.ooooo.', '.......')
  const clear = alphas(plainGround(maze, 0.1)).map((row) => row.map((alpha) => (alpha ? 'o' : '.')).join(''))
  assert.deepEqual(clear, ['.......', '.ooooo.', '.o...o.', '.o.o.o.', '.o.ooo.', '.o.....', '.ooooo.', '.......'])
})

/** A picture of colours that are nowhere twice. */
function noisy(width, height) {
  const next = random(3)
  return { width, height, data: Uint8Array.from({ length: 4 * width * height }, (_, i) => (i % 4 === 3 ? 255 : 256 * next())) }
}

test('a cut-out is found in its original, and goes back to its place', () => {
  const original = noisy(60, 40)
  const { picture, ...at } = trim(polygon(original, [[13, 9], [50, 12], [31, 37]]))
  assert.deepEqual(findWindow(original, picture), at)
  assert.equal(findWindow({ ...original, data: original.data.map((one) => 255 - one) }, picture), null)
  assert.equal(findWindow(picture, original), null)
  const jpeg = { ...original, data: original.data.map((one, i) => (i % 4 === 3 ? one : Math.max(0, one - 2))) }
  const blackened = { ...picture, data: picture.data.map((one, i, all) => (all[i | 3] ? one : 0)) }
  assert.deepEqual(findWindow(original, blackened), at, 'what is clear has no colour')
  assert.deepEqual(findWindow(jpeg, picture), at, 'decoders differ by two steps')
  for (const channel of [0, 1, 2]) {
    const other = { ...original, data: original.data.map((one, i) => (i % 4 === channel ? 255 - one : one)) }
    assert.equal(findWindow(other, picture), null)
  }
  const document = documentOf({ aaaa: { x: 0.4, y: 0.7, fit: 'contain', scale: 0.5, rotation: 20 } })
  const [before] = document.layers
  const cut = withCut(document, 'aaaa', before.picture, {
    picture: 'cut.png', from: before.picture, size: [60, 40], window: { ...at, picture },
  })
  const back = withCut(cut, 'aaaa', 'cut.png', {
    picture: before.picture, from: '', size: [picture.width, picture.height],
    window: { left: -at.left, top: -at.top, picture: original },
  })
  const wanted = box(document, before, [60, 40]).matrix
  box(back, back.layers[0], [60, 40]).matrix.forEach((one, i) => assert.ok(Math.abs(one - wanted[i]) < 0.1))
  assert.equal(cut.layers[0].from, before.picture)
  assert.equal(withCut(document, 'aaaa', 'other.png', {}), document)
})

test('a rounded scale moves no edge: another fit says it better', () => {
  const document = documentOf({ aaaa: { fit: 'pixels', scale: 0.1283 } }, { width: 1024, height: 1024 })
  const [layer] = document.layers
  const window = { left: 500, top: 400, picture: { width: 2900, height: 1999 } }
  const moved = { ...layer, ...placeOfWindow(document, layer, [4000, 3000], window) }
  const { width } = box(document, { ...moved, scale: Number(moved.scale.toFixed(4)) }, [2900, 1999])
  assert.ok(Math.abs(width - 2900 * 0.1283) < 0.11, `${width}`)
  // from a tiny part to its original: the fit whose scale a document allows
  const all = { left: -900, top: -900, picture: { width: 4000, height: 3000 } }
  const whole = placeOfWindow(document, { ...layer, fit: 'contain', scale: 0.2 }, [4, 3], all)
  assert.deepEqual([whole.fit, whole.scale], ['pixels', 51.2])
})

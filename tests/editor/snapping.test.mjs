import assert from 'node:assert/strict'
import { test } from 'node:test'
import { around, snap } from '../../web/editor/snapping.mjs'

const CANVAS = { width: 512, height: 256 }
const boxAt = (left, top) => ({ left, top, right: left + 100, bottom: top + 60 })

test('a box near an edge of the canvas is moved onto it, and the line is told', () => {
  assert.deepEqual(snap(boxAt(4, 100), CANVAS, 6), {
    dx: -4,
    dy: -2,
    lines: [
      { axis: 'x', at: 0 },
      { axis: 'y', at: 128 },
    ],
  })
  assert.deepEqual(snap(boxAt(409, 20), CANVAS, 6), { dx: 3, dy: 0, lines: [{ axis: 'x', at: 512 }] })
})

test('a box that is farther away than the reach stays', () => {
  assert.deepEqual(snap(boxAt(7, 20), CANVAS, 6), { dx: 0, dy: 0, lines: [] })
})

test('of two lines the nearer one wins', () => {
  const wide = { left: 3, right: 511, top: 50, bottom: 60 } // 3 to the left edge, 1 to the right, 1 to the middle
  assert.deepEqual(snap(wide, CANVAS, 6).dx, -1)
})

test('several boxes are one', () => {
  assert.deepEqual(around([boxAt(10, 20), boxAt(60, 0)]), { left: 10, top: 0, right: 160, bottom: 80 })
})

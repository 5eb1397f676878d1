import assert from 'node:assert/strict'
import { test } from 'node:test'
import { behind } from '../../web/editor/results.mjs'

test('what takes something from a node lies behind it, through nodes and subgraphs', () => {
  const nodes = {
    1: { inputs: { document: '' } },
    2: { inputs: { collage: ['1', 0], steps: 3 } },
    '4:7': { inputs: { latent: ['2', 0] } },
    5: { inputs: { image: ['4:7', 0] } },
    6: { inputs: { image: ['9', 0] } },
    9: { inputs: {} },
  }
  assert.deepEqual([...behind(nodes, ['1'])].sort(), ['1', '2', '4:7', '5'])
})

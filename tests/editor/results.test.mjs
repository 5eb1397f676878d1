import assert from 'node:assert/strict'
import { test } from 'node:test'
import { behind, given } from '../../web/editor/results.mjs'

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

test('a run gives each editor what lies behind it, with the collage that was sent', () => {
  const [one, two] = ['ones', 'twos'].map((id) => {
    const layers = [{ id, text: id, picture: 'a.png', size: [4, 4] }]
    const document = JSON.stringify({ version: 1, prompt: id, layers })
    return { class_type: 'CollageEditor', inputs: { document } }
  })
  const nodes = {
    1: one,
    '3:1': two,
    2: { class_type: 'PreviewImage', inputs: { images: ['1', 1] }, _meta: { title: 'First' } },
    4: { class_type: 'Blend', inputs: { a: ['1', 1], b: ['3:1', 1] } },
    5: { class_type: 'SaveImage', inputs: { images: ['4', 0] } },
    6: { class_type: 'CollageEditor', inputs: { document: ['9', 0] } },
  }
  const images = [{ filename: 'a.png' }]
  const outputs = [
    { node: '1', output: { images, report: ['Canvas', '1'] } },
    { node: '5', output: { images } },
    { node: '2', output: { images } },
    { node: '4', output: null },
  ]
  const [told, ...found] = given({ workflow: 'w', nodes }, outputs)
  assert.deepEqual(told.report, { text: 'Canvas\n1', of: one.inputs.document })
  assert.deepEqual(
    found.map(({ editor, node, title, before }) => [editor, node, title, before.prompt, before.layers[0].id]),
    [
      ['1', '5', 'SaveImage', 'ones', 'ones'],
      ['1', '2', 'First', 'ones', 'ones'],
      ['3:1', '5', 'SaveImage', 'twos', 'twos'],
    ],
  )
  assert.deepEqual([...new Set(found.map((entry) => entry.workflow))], ['w'])
})

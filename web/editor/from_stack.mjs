// What a Collage Stack of the graph says: layers, pictures, and what stands in the way of an editor.
import { LAYER_FIELDS } from './rules.mjs'

const SETTINGS = Object.keys(LAYER_FIELDS).filter((name) => !['id', 'picture', 'look', 'from'].includes(name))
const CANVAS = ['width', 'height', 'background', 'prompt']
const OFF = [2, 4] // modes of a node that does not run: muted, bypassed
const CHANNELS = ['red', 'green', 'blue']
const LATER = /[{}]|\/\/|\/\*/ // choices and comments, which the page resolves in texts at each run

/** The node and output behind an input, past reroutes; null where nothing is connected. */
export function behind(node, name) {
  let [at, slot] = [node, node.inputs.findIndex((input) => input.name === name)]
  for (;;) {
    const link = slot < 0 ? null : at.getInputLink(slot)
    const origin = link && at.graph.getNodeById(link.origin_id)
    if (origin?.type !== 'Reroute') return link ? { node: origin, slot: link.origin_slot } : null
    ;[at, slot] = [origin, 0]
  }
}

const valueOf = (node, name) => node.widgets?.find((widget) => widget.name === name)?.value
function valuesOf(node, names) {
  const found = names.map((name) => [name, valueOf(node, name)])
  return Object.fromEntries(found.filter(([, value]) => value !== undefined))
}

/** Names of the widgets of a node that take their values over links. */
const linkedOf = (node, names) =>
  names.filter((name) => node.inputs.some((input) => input.name === name && input.link != null))

/** "folder/name.png [output]" of a Load Image node as {file, folder}. */
export function fileOf(text) {
  const [, file, folder = 'input'] = /^(.*?)(?: \[(input|output|temp)\])?$/s.exec(String(text ?? ''))
  return { file, folder }
}

/** The picture of a Load Image node behind an input: {file, folder, node}, or null. */
function loaded(node, input) {
  const source = behind(node, input)
  const known = ['LoadImage', 'LoadImageOutput'].includes(source?.node?.type)
  if (!known || source.slot !== 0 || OFF.includes(source.node.mode)) return null
  return linkedOf(source.node, ['image']).length ? null : { ...pictureOf(source.node), node: source.node }
}

function pictureOf(node) {
  const { file, folder } = fileOf(valueOf(node, 'image'))
  return { file, folder: node.type === 'LoadImageOutput' ? 'output' : folder }
}

/** The mask of a layer: {file, folder, channel, node}; null: there is none; undefined: not of a picture. */
function maskOf(layer) {
  const source = behind(layer, 'mask')
  if (!source) return null
  const { node, slot } = source
  if (!node || OFF.includes(node.mode) || linkedOf(node, ['image', 'channel']).length) return undefined
  if (node.type === 'LoadImageMask') {
    const channel = CHANNELS.indexOf(valueOf(node, 'channel'))
    return { ...pictureOf(node), channel: channel < 0 ? 3 : channel, node }
  }
  return ['LoadImage', 'LoadImageOutput'].includes(node.type) && slot === 1
    ? { ...pictureOf(node), channel: 3, node }
    : undefined
}

/** What an input is called in the page. */
function titleOf(node, name) {
  const { label, localized_name: shown } = node.inputs.find((input) => input.name === name)
  return label || shown || name
}

/** One input of the stack as a layer, null where no layer comes, or {problem: its source}. */
function layerOf(stack, input) {
  const first = behind(stack, input)
  if (!first || OFF.includes(first.node?.mode)) return null
  let source = first.node // none where the layer comes into a subgraph from outside
  const nodes = []
  let look = ''
  if (source?.type === 'CollageEmbeddingLoad' && !linkedOf(source, ['embedding']).length) {
    look = valueOf(source, 'embedding')
    nodes.push(source)
    source = behind(source, 'layer')?.node
  }
  const title = source?.title ?? titleOf(stack, input)
  if (source?.type !== 'CollageLayer' || OFF.includes(source.mode)) return { problem: { title } }
  const image = loaded(source, 'image')
  const mask = maskOf(source)
  const values = { ...valuesOf(source, SETTINGS), look }
  if (!image || mask === undefined) return { problem: { title: values.text || title } }
  const linked = linkedOf(source, SETTINGS)
  return { node: source, nodes: [...nodes, source], image, mask, values, linked }
}

/**
 * @param {object} stack a CollageStack node of the page
 * @returns {{canvas: object, layers: object[], picture: object | null, linked: string[], kept: object[],
 *   later: string[], problems: string[]}} layers bottom to top, each {nodes, image, mask, values}; linked:
 *   what comes over links and stays behind, with its nodes in `kept`; later: texts that the page resolves
 *   at each run; problems: layers that cannot be taken over
 */
export function planOf(stack) {
  const names = stack.inputs.map((input) => input.name)
  const inputs = names.filter((name) => /^layers\.layer\d+$/.test(name))
  const number = (name) => Number(name.slice('layers.layer'.length))
  inputs.sort((a, b) => number(a) - number(b))
  const found = inputs.map((input) => layerOf(stack, input)).filter(Boolean)
  const layers = found.filter((one) => !one.problem)
  const title = (one) => one.values.text || one.node.title
  const canvas = valuesOf(stack, CANVAS)
  const here = linkedOf(stack, CANVAS.slice(0, 3)).map((name) => `${stack.title}: ${name}`)
  return {
    canvas,
    layers,
    picture: loaded(stack, 'background_image'),
    linked: [...here, ...layers.flatMap((one) => one.linked.map((name) => `${title(one)}: ${name}`))],
    kept: layers.filter((one) => one.linked.length).flatMap((one) => one.nodes),
    later: [canvas.prompt, ...layers.flatMap((one) => [one.values.text, one.values.negative])].filter(
      (text) => LATER.test(text ?? ''),
    ),
    problems: found.filter((one) => one.problem).map((one) => one.problem.title),
  }
}

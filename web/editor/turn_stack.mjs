// Turns a Collage Stack of the graph into a Collage Editor: pictures, document, node, links, notice.
import { stored } from './adding.mjs'
import { decode } from './decoding.mjs'
import { EMPTY, LAYER_DEFAULTS, write } from './document.mjs'
import { behind, planOf } from './from_stack.mjs'
import { reasonOf } from './picture_file.mjs'
import { encodePng } from './png.mjs'
import { newIds } from './tools.mjs'

export const STACK = 'CollageStack'
const EDITOR = 'CollageEditor'
const FROM_SUBGRAPH = -10 // the id of what comes in and of what goes out of a subgraph, as a node
const TO_SUBGRAPH = -20
const READING_TIME = 30_000 // milliseconds

/**
 * @param {object} page {fetchPicture(file, folder) -> Promise<Blob>, upload(blob, extension), pictures,
 *   create(type), text(key, values), notice({severity, summary, detail, life}), changed()}
 * @param {object} stack the node
 * @returns {Promise<object | null>} the editor; null where nothing was changed, and a notice says why
 */
export async function turnIntoEditor(page, stack) {
  const plan = planOf(stack)
  const refuse = (key, values) => {
    say(page, 'warn', page.text(key, values))
    return null
  }
  if (plan.problems.length) return refuse('turn.problem', { layers: plan.problems.join(', ') })
  let document
  try {
    document = await documentOf(page, plan)
  } catch (error) {
    return refuse('turn.failed', { reason: reasonOf(page.text, error) })
  }
  if (stack.graph?.getNodeById(stack.id) !== stack) return null // removed meanwhile
  const editor = exchange(page, stack, plan, document)
  tell(page, plan)
  return editor
}

async function documentOf(page, { canvas, layers, picture }) {
  const ids = newIds(EMPTY, layers.length)
  const made = []
  for (const { image, mask, values } of layers) {
    const name = await keep(page, image, mask)
    const { width, height } = await page.pictures.load(name)
    made.push({ ...LAYER_DEFAULTS, ...values, id: ids[made.length], picture: name, size: [width, height] })
  }
  const behindAll = picture ? await keep(page, picture, null) : ''
  return { ...EMPTY, ...canvas, background_picture: behindAll, layers: made }
}

/** Stores a picture under its hash, with the mask as its alpha; -> its name. */
async function keep({ fetchPicture, upload, text }, image, mask) {
  const file = async ({ file: name, folder }) => stored(new File([await fetchPicture(name, folder)], name))
  const { blob, extension } = await file(image)
  const own = mask && mask.channel === 3 && mask.file === image.file && mask.folder === image.folder
  if (own || (!mask && extension === 'jpg')) return upload(blob, extension)
  const pixels = await decode(blob)
  const other = mask && (await decode((await file(mask)).blob))
  const alpha = mask ? alphaOf(other, mask.channel, pixels) : () => 255
  if (!alpha) throw new Error(text('turn.mask', { picture: image.file, mask: mask.file }))
  let changed = false
  for (let i = 3; i < pixels.data.length; i += 4) {
    const value = alpha(i)
    changed ||= pixels.data[i] !== value
    pixels.data[i] = value
  }
  return changed ? upload(await encodePng(pixels), 'png') : upload(blob, extension)
}

/** Number of a byte -> alpha, as Load Image gives out masks: 255 of a colour is clear. null: sizes differ. */
function alphaOf({ width, height, data }, channel, picture) {
  if (channel === 3 && data.every((value, i) => i % 4 !== 3 || value === 255)) return () => 255
  if (width !== picture.width || height !== picture.height) return null
  return (i) => (channel === 3 ? data[i] : 255 - data[i - 3 + channel])
}

/** The editor takes the stack's place and its links; what nothing else uses goes with the stack. */
function exchange(page, stack, plan, document) {
  const { graph } = stack
  graph.beforeChange?.()
  const editor = page.create(EDITOR)
  graph.add(editor)
  editor.pos = placeOf(graph, stack, editor)
  for (const name of ['color', 'bgcolor', 'mode']) if (stack[name] !== undefined) editor[name] = stack[name]
  editor.widgets.find((widget) => widget.name === 'document').value = write(document)
  const inputs = plan.picture ? ['prompt', 'collage'] : ['prompt', 'collage', 'background_image']
  inputs.forEach((name) => takeInput(graph, stack, editor, name))
  stack.outputs.forEach((output, slot) => giveOutput(graph, output, editor, slot))
  const sources = [...plan.layers.flatMap((one) => [one.image.node, one.mask?.node]), plan.picture?.node]
  const nodes = [...plan.layers.flatMap((one) => one.nodes), ...reroutes(stack, plan), ...sources]
  graph.remove(stack)
  removeUnused(graph, [...new Set(nodes)].filter((node) => node && !plan.kept.includes(node)))
  graph.afterChange?.()
  page.changed()
  return editor
}

function takeInput(graph, stack, editor, name) {
  const link = stack.getInputLink(stack.inputs.findIndex((input) => input.name === name))
  const slot = editor.inputs.findIndex((input) => input.name === name)
  if (!link || slot < 0) return
  if (link.origin_id === FROM_SUBGRAPH)
    graph.inputNode.slots[link.origin_slot].connect(editor.inputs[slot], editor)
  else graph.getNodeById(link.origin_id).connect(link.origin_slot, editor, slot, link.parentId)
}

function giveOutput(graph, output, editor, slot) {
  for (const id of [...(output.links ?? [])]) {
    const link = graph.getLink(id)
    if (link.target_id === TO_SUBGRAPH)
      graph.outputNode.slots[link.target_slot].connect(editor.outputs[slot], editor)
    else editor.connect(slot, graph.getNodeById(link.target_id), link.target_slot, link.parentId)
  }
}

/** Reroute nodes between the stack, its layers and their pictures. */
function reroutes(stack, { layers }) {
  const found = []
  for (const node of [stack, ...layers.flatMap((one) => one.nodes)]) {
    for (let i = 0; i < node.inputs.length; i += 1) {
      let at = node.getInputNode(i)
      for (; at?.type === 'Reroute'; at = at.getInputNode(0)) found.push(at)
    }
  }
  return found
}

/** Removes of these nodes what no link goes out of, until nothing more of them is left over. */
function removeUnused(graph, nodes) {
  const unused = nodes.filter((node) => node.outputs.every((output) => !output.links?.length))
  unused.forEach((node) => graph.remove(node))
  if (unused.length) removeUnused(graph, nodes.filter((node) => !unused.includes(node)))
}

/** Where the stack was; leftwards from its right edge where the wider editor would cover other nodes. */
function placeOf(graph, stack, editor) {
  const [x, y] = stack.pos
  const leftwards = [x + stack.size[0] - editor.size[0], y]
  const covers = ([left, top]) =>
    graph.nodes.some((node) => node !== stack && node !== editor &&
      node.pos[0] > x && // those before the stack mostly go
      left < node.pos[0] + node.size[0] && node.pos[0] < left + editor.size[0] &&
      top < node.pos[1] + node.size[1] && node.pos[1] < top + editor.size[1])
  return covers([x, y]) && !covers(leftwards) ? leftwards : [x, y]
}

function tell(page, { linked, later, layers }) {
  const { text } = page
  const lines = [text('turn.done', { count: layers.length })]
  if (linked.length) lines.push(text('turn.linked', { values: linked.join(', ') }))
  if (later.length) lines.push(text('turn.later', { texts: later.join(', ') }))
  say(page, lines.length > 1 ? 'warn' : 'success', lines.join('\n'))
}

function say({ notice, text }, severity, detail) {
  notice({ severity, summary: text('turn'), detail, life: READING_TIME })
}

/** What a command turns: the chosen stack, or the only one that there is. */
export function stackToTurn(chosen, nodes) {
  const stacks = (list) => [...list].filter((node) => node.type === STACK)
  const [mine, all] = [stacks(chosen), stacks(nodes)]
  return mine.length === 1 ? mine[0] : mine.length === 0 && all.length === 1 ? all[0] : null
}

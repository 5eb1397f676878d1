// What runs have given to an editor: its report, and pictures of the nodes behind it, each with its collage.
import { read } from './document.mjs'
import { paintedBy } from './result_edits.mjs'

const EDITOR = 'CollageEditor'
const MOST = 100 // nodes whose results are kept, of all workflows that the page has shown

/**
 * Results for all editors of the page. When a run has ended, its graph is asked for as it was sent: by
 * then the workflow may be another one, or in another tab. What is found outlives the editors, which
 * the page makes anew for every tab and undo.
 * @param {object} api of the page
 * @param {object} app of the page
 */
export function createResults(api, app) {
  const listeners = new Set()
  const kept = new Map() // workflow, editor and node -> what that node gave in its last run
  const runs = new Map() // id of a run that goes on -> what its nodes have given so far
  let last = Promise.resolve()

  function executed({ detail }) {
    if (!runs.has(detail.prompt_id)) runs.set(detail.prompt_id, [])
    runs.get(detail.prompt_id).push(detail)
  }

  function executing({ detail }) {
    if (detail) return // a node has begun; null: nothing runs any more
    const ended = [...runs]
    runs.clear()
    for (const [id, outputs] of ended) {
      const next = () => keep(id, outputs)
      last = last.then(next, next) // one run after the other, also after one that could not be kept
    }
  }

  async function keep(id, outputs) {
    const run = await sent(api, id)
    const found = run ? await Promise.all(given(run, outputs).map((one) => measured(api, one))) : []
    for (const one of found) {
      const key = [one.workflow, one.editor, one.node].join(' ')
      kept.delete(key)
      kept.set(key, one)
    }
    for (const key of [...kept.keys()].slice(0, -MOST)) kept.delete(key)
    for (const { node, part, listener } of [...listeners]) {
      if (found.some((one) => one[part] && isOf(app, one, node))) listener()
    }
  }

  /** What nodes have given of this part to the editor of a node, newest first. */
  const all = (node, part) => [...kept.values()].reverse().filter((one) => one[part] && isOf(app, one, node))

  function subscribe(entry) {
    listeners.add(entry)
    return () => listeners.delete(entry)
  }

  api.addEventListener('executed', executed)
  api.addEventListener('executing', executing)
  return {
    /** The results of one editor's node: list() -> [{url, title, width, height, before}], newest first. */
    of: (node) => ({
      list: () => all(node, 'pictures').flatMap((one) => one.pictures),
      subscribe: (listener) => subscribe({ node, part: 'pictures', listener }),
    }),
    /** What its last run said of the collage: last() -> {text, of: the document's text}, or null. */
    reportOf: (node) => ({
      last: () => all(node, 'report')[0]?.report ?? null,
      subscribe: (listener) => subscribe({ node, part: 'report', listener }),
    }),
  }
}

/** A run as it was sent, {workflow: its id, nodes}; null where the server has forgotten it. */
async function sent(api, id) {
  try {
    const { [id]: run } = await (await api.fetchApi(`/history/${id}`)).json()
    const [, , nodes, { extra_pnginfo: page }] = run.prompt
    return { workflow: page.workflow.id, nodes }
  } catch {
    return null // of a result nobody knows the collage of, none is shown
  }
}

/**
 * What each editor of a run, and the nodes behind it, have given.
 * @param {{workflow: string, nodes: object}} run
 * @param {object[]} outputs of its nodes, in the order in which they came
 * @returns {object[]} {workflow, editor, node}, ids of the run, with {report} or {title, images, before}
 */
export function given({ workflow, nodes }, outputs) {
  const editors = Object.keys(nodes).filter(
    (id) => nodes[id].class_type === EDITOR && typeof nodes[id].inputs.document === 'string',
  )
  return editors.flatMap((editor) => {
    const reached = behind(nodes, [editor])
    const { document } = nodes[editor].inputs
    const before = paintedBy(read(document).document)
    return outputs.flatMap(({ node, display_node: shown, output }) => {
      const one = { workflow, editor, node: String(node) }
      const { report, images } = output ?? {}
      if (one.node === editor) return report ? [{ ...one, report: { text: report.join('\n'), of: document } }] : []
      if (!reached.has(one.node) || !images?.length) return []
      const { class_type: type, _meta: meta } = nodes[shown] ?? nodes[node]
      return [{ ...one, title: meta?.title ?? type, images, before }]
    })
  })
}

/** Whether an editor's node is the one that a result lies behind. */
const isOf = (app, { workflow, editor }, node) =>
  workflow === (app.rootGraph ?? app.graph).id && nodeOf(app, editor) === node

/** The node of an execution id such as '5' or '2:1', the latter inside of a subgraph. */
function nodeOf(app, id) {
  let graph = app.rootGraph ?? app.graph
  let node = null
  for (const part of id.split(':')) {
    node = graph?.getNodeById(Number(part)) ?? graph?.getNodeById(part)
    graph = node?.subgraph
  }
  return node
}

/** Ids of the nodes that take something from these, directly or not. */
export function behind(nodes, ids) {
  const reached = new Set(ids)
  for (let before = -1; before !== reached.size;) {
    before = reached.size
    for (const [id, { inputs }] of Object.entries(nodes)) {
      if (Object.values(inputs).some((value) => Array.isArray(value) && reached.has(String(value[0]))))
        reached.add(id)
    }
  }
  return reached
}

/** Its images as results; those that cannot be shown are left out. */
async function measured(api, { images, title, before, ...one }) {
  if (!images) return one
  const seen = await Promise.all(images.map((image) => look(api, image)))
  return { ...one, pictures: seen.filter(Boolean).map((picture) => ({ ...picture, title, before })) }
}

async function look(api, { filename, subfolder = '', type = 'output' }) {
  const image = new Image()
  image.src = api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type })}`)
  const shown = await image.decode().then(
    () => true,
    () => false,
  )
  return shown && { url: image.src, width: image.naturalWidth, height: image.naturalHeight }
}

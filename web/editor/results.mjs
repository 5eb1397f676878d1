// Pictures of the nodes behind an editor, newest run first: what became of the collage.

/**
 * @param {object} api of the page
 * @param {object} app of the page
 * @param {object} node the editor's
 * @returns {{list: function, subscribe: function, destroy: function}} list() -> [{url, title, width, height}]
 */
export function createResults(api, app, node) {
  const listeners = new Set()
  const found = new Map() // execution id -> pictures of that node
  let prompt = null // the graph as it is sent, of the run that goes on

  function begin() {
    prompt = null
  }

  async function executed({ detail }) {
    const images = detail.output?.images
    if (!images?.length || !node.graph) return
    prompt ??= app.graphToPrompt().then(({ output }) => output)
    const nodes = await prompt
    const own = Object.keys(nodes).filter((id) => nodeOf(app, id) === node)
    const at = String(detail.node)
    if (own.includes(at) || !behind(nodes, own).has(at)) return
    const title = nodeOf(app, String(detail.display_node ?? at))?.title ?? nodes[at].class_type
    const pictures = await Promise.all(images.map((image) => measured(api, image, title)))
    found.delete(at)
    found.set(at, pictures.filter(Boolean))
    for (const listener of [...listeners]) listener()
  }

  api.addEventListener('execution_start', begin)
  api.addEventListener('executed', executed)
  return {
    list: () => [...found.values()].reverse().flat(),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    destroy() {
      api.removeEventListener('execution_start', begin)
      api.removeEventListener('executed', executed)
    },
  }
}

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

async function measured(api, { filename, subfolder = '', type = 'output' }, title) {
  const image = new Image()
  image.src = api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type })}`)
  const shown = await image.decode().then(
    () => true,
    () => false,
  )
  return shown && { url: image.src, title, width: image.naturalWidth, height: image.naturalHeight }
}

// What an editor asks of ComfyUI's page and server, for one node.
import { ask } from './ask.mjs'
import { listenForRunFaults } from './run_faults.mjs'
import { sha256Soon } from './sha256.mjs'

const FOLDER = 'collage'

/**
 * @param {{app: object, api: object, node: object, results: object, viewUrl: function, committed: function}} page
 */
export function createHost({ app, api, node, results, viewUrl, committed }) {
  const alive = () => node.graph?.getNodeById(node.id) === node
  const host = {
    viewUrl,
    alive,
    report: results.reportOf(node),
    links: createLinks(node),
    results: results.of(node),
    locale: app.extensionManager?.setting?.get('Comfy.Locale') ?? 'en',
    title: () => node.title,
    upload: (blob, extension) => upload(api, blob, extension),
    ask: (type, inputs, options) => ask(api, type, inputs, options),
    download: (file) => download(api, file),
    embeddings: () => api.getEmbeddings(),
    /** The part of the page that has the graph; its dialogs and notices lie beside it. */
    behind: () => app.canvas.canvas.closest('body > *'),
    runFaults: (listener) => listenForRunFaults(api, app, listener),
    /** The text of the document is another one: the page is told, and takes it into its own undo. */
    committed(text) {
      committed(text)
      node.graph?.setDirtyCanvas?.(true, true)
      remember(app)
    },
    /** A wheel over an editor without the focus zooms the graph; Nodes 2.0 sees to it by itself. */
    wheel(event) {
      if (!globalThis.LiteGraph?.vueNodesMode) app.canvas.processMouseWheel(event)
    },
    /** The node becomes higher by so many pixels; whoever wants it lower again pulls its corner. */
    grow(by) {
      node.setSize([node.size[0], node.size[1] + by])
      node.graph?.setDirtyCanvas?.(true, true)
    },
  }
  return host
}

/** Which inputs of a node something is connected to: has(name), and subscribe(listener) when that changes. */
function createLinks(node) {
  const listeners = new Set()
  const changed = node.onConnectionsChange
  node.onConnectionsChange = function (...args) {
    changed?.apply(this, args)
    for (const listener of [...listeners]) listener()
  }
  return {
    has: (name) => node.inputs?.some((input) => input.name === name && input.link != null) ?? false,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** The page takes what the graph is now into its own undo. */
export function remember(app) {
  const tracker = app.extensionManager?.workflow?.activeWorkflow?.changeTracker
  ;(tracker?.captureCanvasState ?? tracker?.checkState)?.call(tracker)
}

/** Stores a picture under the hash of its bytes; -> its name in the input folder. */
export async function upload(api, blob, extension) {
  const name = `${await sha256Soon(new Uint8Array(await blob.arrayBuffer()))}.${extension}`
  const form = new FormData()
  form.append('image', new File([blob], name, { type: blob.type }))
  form.append('subfolder', FOLDER)
  form.append('type', 'input')
  const answer = await api.fetchApi('/upload/image', { method: 'POST', body: form })
  if (!answer.ok) throw new Error(`ComfyUI did not store it (status ${answer.status}).`)
  const stored = await answer.json()
  if (stored.name !== name) throw new Error(`another file has its place, ${FOLDER}/${name}.`)
  return `${FOLDER}/${name}`
}

/** Lets the browser keep a file of the output folder, {filename, subfolder, type}. */
function download(api, file) {
  const href = api.apiURL(`/view?${new URLSearchParams(file)}`)
  Object.assign(document.createElement('a'), { href, download: file.filename }).click()
}

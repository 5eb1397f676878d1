// Runs one node beside the page's own runs: on ComfyUI's queue, but none of its news goes to a page.

const ASKED = 'collage-ask' // the id of an asked node: no node of the page has it
const CLIENT = 'collage' // no page has this id: ComfyUI's panels would tell of a node that no graph has
const NEWS = ['status', 'reconnected'] // of the queue, which go to all pages

/**
 * @param {object} api of the page
 * @param {string} type of the node
 * @param {object} inputs
 * @param {{before?: object, waits?: function}} options nodes that are needed before it, by their ids;
 *   `waits()` is called while another run is under way
 * @returns {Promise<object>} its ui output; rejects when it is refused, fails, or is taken out of the queue
 */
export async function ask(api, type, inputs, { before = {}, waits = () => {} } = {}) {
  const prompt = { ...before, [ASKED]: { class_type: type, inputs, _meta: { title: type } } }
  const id = await send(api, prompt)
  return new Promise((resolve, reject) => {
    async function look() {
      const run = await runOf(api, id).catch(() => ({})) // asked again when the server is back
      if (run.waits) waits()
      if (!run.output && !run.error) return
      NEWS.forEach((event) => api.removeEventListener(event, look))
      if (run.output) resolve(run.output)
      else reject(new Error(run.error))
    }
    NEWS.forEach((event) => api.addEventListener(event, look))
    look()
  })
}

/** Puts nodes before all that waits; -> the id of their run. */
async function send(api, prompt) {
  const body = JSON.stringify({ client_id: CLIENT, front: true, prompt })
  const headers = { 'Content-Type': 'application/json' }
  const answer = await (await api.fetchApi('/prompt', { method: 'POST', headers, body })).json()
  if (!answer.prompt_id) throw new Error(refusal(answer))
  return answer.prompt_id
}

/**
 * How a run stands: {waits}, {output}, {error}, or {} while it goes on. The queue is asked before the
 * history, as a run goes from one to the other.
 */
async function runOf(api, id) {
  const queue = await (await api.fetchApi('/queue')).json()
  const has = (runs) => runs.some(([, one]) => one === id)
  if (has(queue.queue_pending)) return { waits: queue.queue_running.length > 0 }
  if (has(queue.queue_running)) return {}
  const ended = (await (await api.fetchApi(`/history/${id}`)).json())[id]
  if (!ended) return { error: 'it was taken out of the queue.' }
  const output = ended.outputs[ASKED]
  return output ? { output } : { error: failure(ended.status?.messages ?? []) }
}

function failure(messages) {
  const [, detail] = messages.find(([event]) => event === 'execution_error') ?? []
  return detail?.exception_message?.trim() || 'the run was stopped.'
}

function refusal({ error, node_errors: errors }) {
  const details = Object.values(errors ?? {})
    .flatMap((one) => one.errors ?? [])
    .map((one) => one.details)
  return details.filter(Boolean).join(' ') || error?.message || 'ComfyUI refused it.'
}

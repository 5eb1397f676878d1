// Runs that the page refused, or that failed: what it says of them, it says beside the graph.

const PACE = 200 // milliseconds: the page has no event for a refusal
const LONGEST = 60_000 // that it may take to answer

/**
 * @param {object} api of the page
 * @param {object} app of the page
 * @param {function} listener told {key, values} of a text
 * @returns {function} ends it
 */
export function listenForRunFaults(api, app, listener) {
  const titleOf = (id, type) => app.graph.getNodeById(id)?.title ?? type
  let timer = 0
  const stop = () => clearInterval(timer)
  function look() {
    if (!app.lastNodeErrors) return
    stop()
    listener({ key: 'run.refused', values: { reason: refusal(app.lastNodeErrors, titleOf) } })
  }
  function queueing() {
    stop()
    const end = performance.now() + LONGEST
    timer = setInterval(() => (performance.now() < end ? look() : stop()), PACE)
  }
  function queued() {
    stop()
    look() // a part of the graph may be refused, while the rest runs
  }
  function failed({ detail }) {
    if (detail.exception_type === 'CollageError') return // in a notice of the page: errors.js
    const title = titleOf(detail.node_id, detail.node_type)
    listener({ key: 'run.failed', values: { title, reason: detail.exception_message.trim() } })
  }
  const events = { promptQueueing: queueing, promptQueued: queued, execution_error: failed }
  for (const [name, heard] of Object.entries(events)) api.addEventListener(name, heard)
  return () => {
    stop()
    for (const [name, heard] of Object.entries(events)) api.removeEventListener(name, heard)
  }
}

/** The errors of all nodes in one line; those of a node's own checks are whole sentences. */
function refusal(nodes, titleOf) {
  return Object.entries(nodes)
    .flatMap(([id, { class_type: type, errors }]) =>
      errors.map((one) =>
        one.type === 'custom_validation_failed'
          ? one.details
          : `${titleOf(id, type)}: ${[one.message, one.details].filter(Boolean).join(': ')}.`,
      ),
    )
    .join(' ')
}

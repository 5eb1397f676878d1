// Asks a worker to cut pictures out; where no worker can be started it is done in the page.

/**
 * @returns {{ask: (job: string, request: object) => Promise<object | null>, close: function}} see
 *   cut_jobs.mjs for the jobs; `close` gives back the memory that pictures take
 */
export function createCutter() {
  const open = new Map() // number -> {resolve, reject, job, request}
  let numbers = 0
  let worker = null
  let inPage = false

  function settle({ number, found, error }) {
    const one = open.get(number)
    open.delete(number)
    if (error !== undefined) one?.reject(new Error(error))
    else one?.resolve(found)
  }

  function start() {
    worker = new Worker(new URL('./cut_worker.mjs', import.meta.url), { type: 'module' })
    worker.addEventListener('message', ({ data }) => settle(data))
    worker.addEventListener('error', () => {
      inPage = true
      for (const [number, one] of open) here(number, one)
    })
  }

  async function here(number, { job, request }) {
    const { createJobs } = await import('./cut_jobs.mjs')
    createJobs()[job](request).then(
      (found) => settle({ number, found }),
      (error) => settle({ number, error: error.message ?? String(error) }),
    )
  }

  return {
    ask(job, request) {
      if (!worker && !inPage) start()
      return new Promise((resolve, reject) => {
        const number = (numbers += 1)
        open.set(number, { resolve, reject, job, request })
        if (inPage) here(number, { job, request })
        else worker.postMessage({ number, job, request })
      })
    },
    close() {
      worker?.terminate()
      worker = null
      for (const number of [...open.keys()]) settle({ number, found: null, error: 'stopped' })
    },
  }
}

// The worker in which pictures are cut out, so that the page stays free meanwhile.
import { createJobs } from './cut_jobs.mjs'

const jobs = createJobs()

addEventListener('message', ({ data: { number, job, request } }) => {
  jobs[job](request).then(
    (found) => postMessage({ number, found }),
    (error) => postMessage({ number, error: error.message ?? String(error) }),
  )
})

// Of a node that fails the page says first that it failed, and the reason stands behind a button.
// The sentences of this pack say what to do: they are shown at once, in the page's own notices.
import { app } from '../../scripts/app.js'
import { api } from '../../scripts/api.js'

const READING_TIME = 60_000 // milliseconds

app.registerExtension({
  name: 'CollageDiffusion.Errors',
  setup() {
    api.addEventListener('execution_error', ({ detail }) => {
      if (detail.exception_type !== 'CollageError') return
      const node = app.graph.getNodeById(detail.node_id)
      app.extensionManager.toast.add({
        severity: 'error',
        summary: node?.title ?? detail.node_type,
        detail: detail.exception_message.trim(),
        life: READING_TIME,
      })
    })
  },
})

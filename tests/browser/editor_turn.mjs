// Turns the stack of a workflow into a Collage Editor by the node's menu, and looks at what became of the graph.
// Given: <server url> <picture.png> <classic|nodes2> <workflow.json> <menu|command> [change in JavaScript]
import { readFileSync } from 'node:fs'
import { atRest, openPage } from './browser.mjs'

const [url, picture, look, file, way, change = ''] = process.argv.slice(2)
const errors = []
const { page } = await openPage(url, {
  settings: { 'Comfy.VueNodes.Enabled': look === 'nodes2' },
  watch: (page) => {
    page.on('pageerror', (error) => errors.push(`${error} ${error.stack}`))
    page.on('console', (said) => {
      if (said.type() === 'error') errors.push(`${said.text()} ${said.location().url}`)
    })
  },
})
await page.waitForFunction(() => window.app.graph.nodes.length > 0, null, { timeout: 60000 })
await page.evaluate((graph) => window.app.loadGraphData(graph, true, true, 'collage'), JSON.parse(readFileSync(file, 'utf8')))
await atRest(page)
await page.evaluate((change) => new Function('graph', 'LiteGraph', change)(window.app.graph, window.LiteGraph), change)
await page.evaluate(() => window.app.extensionManager.workflow.activeWorkflow.changeTracker.captureCanvasState())

/** Types with their number; links as from and to; the prompt that is queued. */
const state = () =>
  page.evaluate(async () => {
    const { graph } = window.app
    const name = (id) => graph.getNodeById(id)?.type
    const links = graph.nodes.flatMap((node) =>
      node.outputs.flatMap((output) =>
        (output.links ?? []).map((id) => {
          const link = graph.getLink(id)
          const target = graph.getNodeById(link.target_id)
          return `${name(link.origin_id)}.${output.name} > ${target.type}#${target.id}.${target.inputs[link.target_slot].name}`
        }),
      ),
    )
    return {
      types: graph.nodes.map((node) => node.type).sort(),
      links: links.sort(),
      prompt: (await window.app.graphToPrompt()).output,
      stack: graph.nodes.filter((node) => /Stack|Editor/.test(node.type)).map((node) => [...node.pos, ...node.size]),
    }
  })

/** Waits until the page has noted the graph as it is now, for its undo; a graph that never comes is seen later. */
const noted = (kind) =>
  page.waitForFunction((kind) => {
    const { activeState } = window.app.extensionManager.workflow.activeWorkflow.changeTracker
    return [window.app.graph, activeState].every(({ nodes }) => nodes.some(({ type }) => type === kind))
  }, kind, { timeout: 10000 }).catch(() => {})

const before = await state()
await page.evaluate((way) => {
  const stack = window.app.graph.nodes.find((node) => node.type === 'CollageStack')
  const chosen = way === 'menu'
    ? window.app.canvas.getNodeMenuOptions(stack).find((item) => item?.content === 'Turn into Collage Editor')
    : null
  if (way === 'menu') chosen.callback()
  else window.app.extensionManager.command.execute('CollageDiffusion.TurnIntoEditor')
}, way)
const toast = page.locator('.p-toast-message').last()
await toast.waitFor({ timeout: 90000 })
const notice = await toast.innerText()
await noted('CollageEditor')
const after = await state()
await page.evaluate(() => window.app.extensionManager.command.execute('Comfy.Canvas.FitView'))
await atRest(page)
await page.screenshot({ path: picture })
await page.evaluate(() => window.app.extensionManager.command.execute('Comfy.Undo'))
await noted('CollageStack')
const undone = await state()
export default { before, notice, after, undone, errors }

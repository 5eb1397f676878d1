// Opens a workflow on ComfyUI's page, runs it, and takes a picture of the graph without the page.
// node graph_picture.mjs <server url> <picture.png> <workflow.json> [class of the one node to show]
import { readFileSync } from 'node:fs'
import { openPage } from '../../tests/browser/browser.mjs'

const [url, picture, file, only] = process.argv.slice(2)
const [MARGIN, SCALE] = only ? [18, 1.25] : [30, 0.62]
const MENU = 200 // page pixels, as MARGIN; what the bars of the page may take

const settings = { 'Comfy.VueNodes.Enabled': false, 'Comfy.Minimap.Visible': false }
const { browser, page } = await openPage(url, { settings })
const outcome = await page.evaluate(async (graph) => {
  await window.app.loadGraphData(graph)
  const { api } = window.app
  const done = new Promise((resolve) => {
    api.addEventListener('execution_success', () => resolve('success'), { once: true })
    api.addEventListener('execution_error', (event) => resolve(event.detail.exception_message), { once: true })
    setTimeout(() => resolve('no answer in time'), 900000)
  })
  await window.app.queuePrompt(0, 1)
  return done
}, JSON.parse(readFileSync(file, 'utf8')))
if (outcome !== 'success') throw new Error(outcome)
await page.evaluate(() => window.app.extensionManager.command.execute('Workspace.ToggleFocusMode'))

const box = await page.evaluate((only) => {
  const nodes = window.app.graph.nodes.filter(({ type }) => !only || type === only)
  const boxes = nodes.map((node) => node.getBounding())
  const [left, top] = [0, 1].map((axis) => Math.min(...boxes.map((box) => box[axis])))
  const [right, bottom] = [0, 1].map((axis) => Math.max(...boxes.map((box) => box[axis] + box[axis + 2])))
  return { left, top, width: right - left, height: bottom - top }
}, only)
const [width, height] = [box.width, box.height].map((length) => Math.ceil(length * SCALE) + 2 * MARGIN)
await page.setViewportSize({ width: width + MENU, height: height + MENU })
await page.evaluate(({ box, scale, shift }) => {
  const { canvas } = window.app
  canvas.ds.scale = scale
  canvas.ds.offset = [shift / scale - box.left, shift / scale - box.top]
  canvas.draw(true, true)
}, { box, scale: SCALE, shift: MARGIN + MENU / 2 })
await page.waitForTimeout(3000) // the nodes' pictures arrive
if (only === 'CollageEditor') { // a layer is chosen, and one half of the canvas shows the result
  await page.locator('.collage-editor:visible .collage-segments input[aria-label="Result"]').click()
  await page.locator('.collage-editor:visible .collage-row-input').nth(2).click()
  await page.mouse.move(0, 0)
  await page.waitForTimeout(1000)
}
await page.screenshot({ path: picture, clip: { x: MENU / 2, y: MENU / 2, width, height } })
await browser.close()

// The editor as a node among others: how small it gets, what the page shows over it, a stack in a subgraph.
// Given: <server url> <picture.png> <classic|nodes2> <workflow.json>
import { readFileSync } from 'node:fs'
import { keepSeen, openEditor } from './editor.mjs'

const [url, picture, look, file] = process.argv.slice(2)
const settings = { 'Comfy.EnableTooltips': true, 'LiteGraph.Node.TooltipDelay': 100 }
const opened = await openEditor(url, look, { settings })
const { page, editor, errors } = opened
const seen = keepSeen()

// the pointer rests on the editor, as it does all the time
const { x, y, width, height } = await editor.boundingBox()
await page.mouse.move(x + width / 3, y + height / 2)
await page.mouse.move(x + width / 3 + 20, y + height / 2 + 10, { steps: 4 })
await page.waitForTimeout(1200)
seen.tips = await page.locator('.p-tooltip:visible').allInnerTexts()

// its corner is drawn in as far as it goes
const corner = await page.evaluate(() => {
  const node = window.app.graph.getNodeById(1)
  const shown = document.querySelector('[data-node-id="1"]')?.getBoundingClientRect()
  if (shown?.width) return [shown.right, shown.bottom]
  const { left, top } = window.app.canvas.canvas.getBoundingClientRect()
  return [left + node.pos[0] + node.size[0], top + node.pos[1] + node.size[1]]
})
await opened.drag(corner.map((at) => at - 4), corner.map((at) => at - 600))
await page.waitForTimeout(800)
await page.screenshot({ path: picture })
seen.size = await page.evaluate(() => [...window.app.graph.getNodeById(1).size].map(Math.round))
seen.sides = await editor.evaluate((root) => [root.offsetWidth, root.offsetHeight])
seen.cut = await editor.evaluate((root) =>
  [...root.querySelectorAll('.collage-button')].filter((one) => {
    const inner = one.getBoundingClientRect()
    return one.offsetParent && inner.right > root.getBoundingClientRect().right + 1
  }).length)

// a menu of the page closes at a click into the editor
const menus = page.locator('.p-tieredmenu:visible')
await page.locator('.comfyui-logo-wrapper, .comfy-menu-button-wrapper').first().click()
await menus.first().waitFor({ timeout: 60000 })
await editor.locator('.collage-messages').click() // below the menu
seen.menus = await menus.first().waitFor({ state: 'hidden', timeout: 10000 }).then(() => 0, () => menus.count())
await page.keyboard.press('Escape')

// keys stay in the editor when what has the focus goes: the page would delete its nodes
await page.evaluate((document) => {
  window.app.graph.getNodeById(1).widgets.find(({ name }) => name === 'document').value = document
}, JSON.stringify({ version: 1, prompt: 'a', layers: ['one1', 'two2'].map((id) => ({ id, text: 'a', picture: 'none.png' })) }))
await page.waitForTimeout(500)
const focused = () => page.evaluate(() => document.activeElement.className)
await editor.locator('.collage-row-input').first().click()
await page.keyboard.press('x')
await page.waitForTimeout(200)
await editor.locator('.collage-cut .collage-button input').last().focus()
await page.keyboard.press('Escape')
seen.closed = await focused()
await editor.locator('.collage-row-input').first().focus()
await page.keyboard.press('Delete')
seen.deleted = await focused()
await page.keyboard.press('Control+a')
await page.keyboard.press('Delete')
seen.nodes = await page.evaluate(() => window.app.graph.nodes.length)

// a stack alone in a subgraph: its layers come in from outside
await page.evaluate((graph) => window.app.loadGraphData(graph, true, true, 'stack'), JSON.parse(readFileSync(file, 'utf8')))
await page.waitForTimeout(1500)
seen.refused = await page.evaluate(async () => {
  const { app } = window
  const stacks = app.graph.nodes.filter((node) => node.type === 'CollageStack')
  const { node } = app.graph.convertToSubgraph(new Set(stacks))
  app.canvas.openSubgraph(node.subgraph, node)
  await app.extensionManager.command.execute('CollageDiffusion.TurnIntoEditor')
  return node.subgraph.nodes.map(({ type }) => type)
})
const toast = page.locator('.p-toast-message').last()
await toast.waitFor({ timeout: 30000 })
seen.notice = await toast.innerText()
export default { ...seen, errors }

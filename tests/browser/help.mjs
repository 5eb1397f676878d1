// Puts a node on ComfyUI's page in one language, opens its help, takes a picture of both.
// Given: <server url> <picture.png> <browser's language> <node id>.
import { openPage } from './browser.mjs'

const [url, picture, language, kind] = process.argv.slice(2)
const { page } = await openPage(url, { language, settings: { 'Comfy.VueNodes.Enabled': true } })

// the texts arrive by themselves, after the page does
const shown = await page.evaluate(async (kind) => {
  const { app, LiteGraph } = window
  for (let wait = 0; wait < 120 && !LiteGraph.registered_node_types[kind]; wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  app.graph.clear()
  const node = LiteGraph.createNode(kind)
  node.pos = [100, 150]
  app.graph.add(node)
  return {
    title: node.title,
    widgets: Object.fromEntries((node.widgets ?? []).map((widget) => [widget.name, widget.label])),
    kinds: Object.fromEntries((node.widgets ?? []).map((widget) => [widget.name, widget.type])),
    inputs: Object.fromEntries(node.inputs.map((input) => [input.name, input.localized_name])),
    outputs: Object.fromEntries(node.outputs.map((output) => [output.name, output.localized_name])),
  }
}, kind)
// its tools appear where a user clicks it
await page.locator('.lg-node-header').first().click({ timeout: 60000 })
await page.getByTestId('info-button').click({ timeout: 60000 })
const help = page.locator('.node-help-content')
await help.locator('img').first().waitFor({ timeout: 60000 })
shown.heading = await help.locator('h1').first().textContent()
shown.picture = await help.locator('img').first().evaluate(async (image) => {
  await image.decode().catch(() => {})
  return image.naturalWidth
})
await page.screenshot({ path: picture })
export default shown

// Loads workflows on ComfyUI's page one after the other and tells what the page would send.
// Given: <server url> <picture.png> <workflow.json>....
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { openPage } from './browser.mjs'

const [url, picture, ...files] = process.argv.slice(2)
// what would be sent does not hang on how nodes look; these are drawn in a third of the time
const { page } = await openPage(url, { settings: { 'Comfy.VueNodes.Enabled': false } })
const sent = {}
for (const file of files) {
  const workflow = JSON.parse(readFileSync(file, 'utf8'))
  const name = basename(file, '.json')
  sent[name] = await page.evaluate(async (graph) => {
    await window.app.loadGraphData(graph)
    return (await window.app.graphToPrompt()).output
  }, workflow)
}
await page.screenshot({ path: picture })
export default sent

// Loads workflows on ComfyUI's page one after the other and tells what the page would send.
// node examples.mjs <server url> <picture.png> <workflow.json>...; prints one JSON object.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { openPage } from './browser.mjs'

const [url, picture, ...files] = process.argv.slice(2)
const { browser, page } = await openPage(url, {})
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
await browser.close()
console.log(JSON.stringify(sent))

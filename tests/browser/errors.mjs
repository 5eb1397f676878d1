// Runs workflows that fail on ComfyUI's page, and reads what can be seen of each error unasked.
// Given: <server url> <picture.png> <classic|nodes2> (<workflow in API form> <words>)...
import { readFileSync } from 'node:fs'
import { atRest, openPage } from './browser.mjs'

const [url, picture, look, ...cases] = process.argv.slice(2)
const { page } = await openPage(url, {
  settings: { 'Comfy.VueNodes.Enabled': look === 'nodes2' },
})
// what is loaded before the page's own first workflow has arrived is replaced by it, and what that
// workflow lacks is counted among the errors until it is gone
await page.waitForFunction(() => window.app.graph.nodes.length > 0, null, { timeout: 60000 })

const seen = []
for (let one = 0; one < cases.length; one += 2) seen.push(await failed(cases[one], cases[one + 1], seen.length))
export default { cases: seen }

async function failed(workflow, words, number) {
  await page.evaluate(() => window.app.extensionManager.toast.removeAll())
  await page.evaluate(() => window.app.extensionManager.command.execute('Comfy.NewBlankWorkflow'))
  await page.waitForFunction(() => window.app.graph.nodes.length === 0)
  await atRest(page)
  const graph = JSON.parse(readFileSync(workflow, 'utf8'))
  await page.evaluate((graph) => window.app.loadApiJson(graph, 'wrong'), graph)
  await page.waitForFunction(() => window.app.graph.nodes.some((node) => node.type === 'CollageStack'))
  await page.evaluate(() => window.app.extensionManager.command.execute('Comfy.Canvas.FitView'))
  const notice = page.getByText(words).last()
  const before = await notice.count()
  await page.evaluate(() => window.app.queuePrompt(0, 1))
  const shown = await notice.waitFor({ timeout: 120000 }).then(() => true, () => false)
  // nothing lies over it, once it has slid in
  const uncovered = shown && await notice.evaluate(async (element) => {
    for (let look = 0; look < 50; look += 1) {
      const { x, y, width, height } = element.getBoundingClientRect()
      if (element.contains(document.elementFromPoint(x + width / 2, y + height / 2))) return true
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return false
  })
  await page.screenshot({ path: picture.replace('.png', `_${number}.png`) })
  return { before, shown, uncovered, text: shown ? await notice.innerText() : '' }
}

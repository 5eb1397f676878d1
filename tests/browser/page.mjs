// Opens ComfyUI's page, loads the example, in classic look from the templates, runs it, takes a picture.
// Given: <server url> <picture.png> <classic|nodes2>.
import { atRest, openPage } from './browser.mjs'

const [url, picture, look] = process.argv.slice(2)
const errors = []
const foreign = []
const { page } = await openPage(url, {
  settings: { 'Comfy.VueNodes.Enabled': look === 'nodes2' },
  watch: (page) => {
    page.on('pageerror', (error) => errors.push(`${error} ${error.stack}`))
    page.on('console', (said) => {
      if (said.type() === 'error') errors.push(`${said.text()} ${said.location().url}`)
    })
    page.on('request', (request) => {
      if (/^https?:/.test(request.url()) && !request.url().startsWith(url)) foreign.push(request.url())
    })
  },
})

// the template browser costs more than the page, and does not hang on how nodes look
const thumbnail = look === 'classic' ? await fromTemplates() : await fromItsFile()
await page.waitForFunction(
  () => window.app.graph?.nodes?.some((node) => node.type === 'PerLayerNoiseKSampler'),
  null,
  { timeout: 60000 },
)

const outcome = await page.evaluate(async () => {
  const api = window.app.api
  const nodes = window.app.graph.nodes
  nodes.find((node) => node.type === 'PerLayerNoiseKSampler')
    .widgets.find((widget) => widget.name === 'steps').value = 6
  const done = new Promise((resolve) => {
    api.addEventListener('execution_success', () => resolve('success'), { once: true })
    api.addEventListener('execution_error', (event) => resolve(event.detail.exception_message), { once: true })
    setTimeout(() => resolve('no answer in time'), 240000)
  })
  await window.app.queuePrompt(0, 1)
  return done
})
await page.evaluate(() => window.app.extensionManager.command.execute('Comfy.Canvas.FitView'))
await atRest(page)
await page.screenshot({ path: picture })

const graph = await page.evaluate(async () => {
  const prompt = (await window.app.graphToPrompt()).output
  return { prompt, missing: window.app.graph.nodes.filter((node) => node.has_errors).length }
})
// texts are dynamic prompts, as in ComfyUI's own boxes; a choice of one is a sure one
const texts = await page.evaluate(async () => {
  const read = { CollageStack: 'prompt', CollageLayer: 'text' }
  for (const [type, name] of Object.entries(read)) {
    const node = window.app.graph.nodes.find((one) => one.type === type)
    node.widgets.find((widget) => widget.name === name).value = 'a {red|red} ball // mine'
  }
  const queued = Object.values((await window.app.graphToPrompt()).output)
  return Object.entries(read).map(([type, name]) =>
    queued.filter((one) => one.class_type === type).map((one) => one.inputs[name].trim()))
})
export default { outcome, thumbnail, errors, foreign, texts, ...graph }

async function fromItsFile() {
  const file = await fetch(`${url}/api/workflow_templates/collage-diffusion/bento_box.json`)
  // what is loaded before the page's own first workflow has arrived is replaced by it
  await page.waitForFunction(() => window.app.graph.nodes.length > 0, null, { timeout: 60000 })
  await page.evaluate((graph) => window.app.loadGraphData(graph), await file.json())
  return null
}

/** As a user: the template browser, the pack's own section, its card. -> the width of its picture */
async function fromTemplates() {
  await page.evaluate(() => window.app.extensionManager.command.execute('Comfy.BrowseTemplates'))
  const search = page.getByPlaceholder(/search/i).last()
  await search.waitFor({ timeout: 60000 })
  const card = page.locator('[data-testid="template-workflow-bento_box"]')
  for (let attempt = 0; attempt < 12 && !(await card.isVisible()); attempt += 1) {
    // what is typed before the list has arrived is forgotten
    await search.fill('')
    await search.fill('bento')
    await card.waitFor({ timeout: 10000 }).catch(() => {})
  }
  await card.locator('img').first().waitFor({ timeout: 60000 })
  const thumbnail = await card.locator('img').first().evaluate(async (image) => {
    await image.decode().catch(() => {})
    return image.naturalWidth
  })
  await page.screenshot({ path: picture.replace('.png', '_templates.png') })
  await card.click()
  return thumbnail
}

// What the page does to an editor: runs, undo outside of it, reload, copies, tabs, subgraphs.
// Given: <server url> <picture.png> <classic|nodes2> <folder of mug, lemon and table>
import { atRest } from './browser.mjs'
import { graphOf, keepSeen, lookAt, openEditor } from './editor.mjs'

const [url, picture, look, folder] = process.argv.slice(2)
const editor = await openEditor(url, look)
const { page, at, drag, drop, read, text, layers, focus, run, exact } = editor
const seen = keepSeen()
const put = (name, value) => {
  seen[name] = value
}
const shot = (name) => page.screenshot({ path: picture.replace('.png', `_${name}.png`) })
/** Whether what the page shows of the first editor is the widget's own element, and its document. */
const shown = () =>
  page.evaluate(() => {
    const node = window.app.canvas.graph.nodes.find((one) => one.comfyClass === 'CollageEditor')
    const widget = node.widgets.find((one) => one.name === 'document')
    const views = [...document.querySelectorAll('.collage-editor')].filter((one) => one.offsetParent)
    const { model } = views[0]?.querySelector('.collage-canvas').collage.context ?? {}
    return { own: views[0] === widget.element, views: views.length, same: model?.text === widget.value }
  })
/** Waits until so many editors are shown, the first one as it should be; what stays wrong is seen later. */
const settled = (count) =>
  page.waitForFunction((count) => {
    const node = window.app.canvas.graph?.nodes.find((one) => one.comfyClass === 'CollageEditor')
    const widget = node?.widgets.find((one) => one.name === 'document')
    const views = [...document.querySelectorAll('.collage-editor')].filter((one) => one.offsetParent)
    const { model } = views[0]?.querySelector('.collage-canvas').collage.context ?? {}
    return widget && views.length === count && views[0] === widget.element && model?.text === widget.value
  }, count, { timeout: 10000 }).catch(() => {})
const outside = async () => {
  await page.evaluate(() => document.activeElement?.blur())
  await page.mouse.click(1450, 520)
  await page.waitForTimeout(200)
}

// the picture in the page is the one that the node computes
await drop(
  ['table.jpg', 'mug.png', 'lemon.png'].map((name) => `${folder}/${name}`),
  await at(256, 256),
)
await layers(3)
await page.keyboard.press('Escape')
const lemon = (await read()).layers.at(-1)
await drag(await at(lemon.x * 512, lemon.y * 512), await at(150, 120), { hold: 'Control' })
for (const key of ['f', ']', ']', '}', '-', 'ArrowLeft']) await page.keyboard.press(key)
await page.evaluate(() => {
  const { context } = document.querySelector('.collage-canvas').collage
  const [, mug] = context.model.document.layers
  context.model.edit('', (document) => ({
    ...document,
    layers: document.layers.map((one) =>
      one.id === mug.id ? { ...one, blend: 'multiply', opacity: 0.8 } : one,
    ),
  }))
})
await exact()
put('outcome', await run())
await page.waitForFunction(
  () => document.querySelector('.collage-canvas').collage.context.host.results.list().length > 0,
  null,
  { timeout: 20000 },
)
put(
  'results',
  await page.evaluate(() => {
    const { host } = document.querySelector('.collage-canvas').collage.context
    return host.results.list().map(({ title, width, height }) => [title, width, height])
  }),
)
put(
  'report',
  await page.evaluate(() => document.querySelector('.collage-canvas').collage.context.host.report.last().text),
)
put(
  'difference',
  await page.evaluate(async () => {
    const { live, host } = document.querySelector('.collage-canvas').collage.context
    const { canvas, width, height } = live.current()
    const blob = await (await fetch(host.results.list()[0].url)).blob()
    const g = new OffscreenCanvas(width, height).getContext('2d')
    g.drawImage(await createImageBitmap(blob), 0, 0)
    const [mine, theirs] = [canvas.getContext('2d'), g].map(
      (one) => one.getImageData(0, 0, width, height).data,
    )
    return mine.reduce((most, value, index) => Math.max(most, Math.abs(value - theirs[index])), 0)
  }),
)
await shot('run')

// the page's own undo, outside of the editor, steps through the same states
const before = await text()
await page.mouse.move(...(await at(256, 256)).slice(0, 2))
await focus()
await page.keyboard.press('ArrowRight')
const after = await text()
await outside()
await page.keyboard.press('Control+z')
await page.waitForFunction(
  (before) => window.app.graph.nodes.some((one) => one.widgets?.[0]?.value === before),
  before,
  { timeout: 10000 },
).catch(() => {})
await settled(1)
put('undone', { changed: after !== before, back: (await text()) === before, ...(await shown()) })
const one = (await read()).layers.at(-1)
await drag(await at(one.x * 512, one.y * 512), await at(one.x * 512 + 50, one.y * 512 + 40), {
  hold: 'Control',
})
put('afterUndo', { moved: Math.round(((await read()).layers.at(-1).x - one.x) * 512), ...(await shown()) })

// the graph is loaded anew; a copy of the node is another collage
const saved = await text()
await page.evaluate(() => window.app.loadGraphData(window.app.graph.serialize(), true, true, 'again'))
await settled(1)
put('reloaded', { kept: (await text()) === saved, ...(await shown()) })
await page.evaluate(() => {
  document.activeElement?.blur()
  window.app.canvas.selectNode(window.app.graph.nodes.find((node) => node.comfyClass === 'CollageEditor'))
  window.app.canvas.canvas.focus()
})
await lookAt(page, 0.5, [0, 0])
await page.keyboard.press('Control+c')
await page.mouse.move(700, 800)
await page.keyboard.press('Control+v')
await settled(2)
await atRest(page)
put(
  'copies',
  await page.evaluate(() => {
    const values = () =>
      window.app.graph.nodes
        .filter((node) => node.comfyClass === 'CollageEditor')
        .map((node) => node.widgets.find((widget) => widget.name === 'document').value)
    const [first, second] = values()
    const views = [...document.querySelectorAll('.collage-canvas')].filter((view) => view.offsetParent)
    const own = views.find((view) => view.collage.context.model.text === second)
    own.collage.context.model.choose([own.collage.context.model.document.layers[0].id])
    own.collage.context.run('remove')
    const [now] = values()
    return { equal: first === second, views: views.length, apart: now === first || values()[1] === second }
  }),
)
await shot('copy')

// another tab of the page and back
await page.evaluate(() => window.app.extensionManager.command.execute('Comfy.NewBlankWorkflow'))
await page.waitForFunction(() => window.app.graph.nodes.length === 0)
await page.evaluate(async () => {
  const { workflow } = window.app.extensionManager
  const other = workflow.openWorkflows.find((one) => one.path.includes('again'))
  window.collageTabs = workflow.openWorkflows.map((one) => one.path)
  return other
})
await page.getByText('again', { exact: true }).first().click()
await settled(2)
put('tabs', await shown())

// inside a subgraph
await page.evaluate(() => window.app.loadGraphData(window.app.graph.serialize(), true, true, 'sub'))
await settled(2)
put(
  'subgraph',
  await page.evaluate(async () => {
    const { app } = window
    const node = app.graph.nodes.find((one) => one.comfyClass === 'CollageEditor')
    const { node: outer } = app.graph.convertToSubgraph(new Set([node]))
    await new Promise((resolve) => setTimeout(resolve, 800))
    const sent = Object.entries((await app.graphToPrompt()).output).filter(
      ([, one]) => one.class_type === 'CollageEditor',
    )
    app.canvas.openSubgraph(outer.subgraph, outer)
    return {
      ids: sent.map(([id]) => id.includes(':')),
      documents: sent.map(([, one]) => one.inputs.document.length > 100),
    }
  }),
)
await page.evaluate(() => window.app.extensionManager.command.execute('Comfy.Canvas.FitView'))
await atRest(page)
await settled(1)
put('inside', await shown())
await shot('subgraph')

// the page loads a graph anew: the editor that was left inside of the subgraph computes nothing any more
await page.evaluate(() => {
  const view = [...document.querySelectorAll('.collage-canvas')].find((one) => one.offsetParent)
  const { context } = view.collage
  const { request } = context.compositor
  window.collageLeft = { context, requests: 0 }
  context.compositor.request = (...all) => {
    window.collageLeft.requests += 1
    return request.apply(context.compositor, all)
  }
})
await page.evaluate(() => window.app.loadGraphData(window.app.rootGraph.serialize(), true, true, 'left'))
await settled(1)
await atRest(page)
put(
  'left',
  await page.evaluate(async () => {
    const { context } = window.collageLeft
    const canvas = new OffscreenCanvas(8, 8)
    canvas.getContext('2d').fillRect(0, 0, 8, 8)
    const before = window.collageLeft.requests
    await context.pictures.load(await context.host.upload(await canvas.convertToBlob(), 'png'))
    await new Promise((resolve) => setTimeout(resolve, 2000))
    return window.collageLeft.requests - before
  }),
)
await page.evaluate(() => {
  const { canvas, graph } = window.app
  const outer = graph.nodes.find((one) => one.subgraph)
  canvas.openSubgraph(outer.subgraph, outer)
})
await settled(1)

// a node that goes away takes its large view with it
await focus()
await page.keyboard.press('Enter')
await page.locator('.collage-dialog').waitFor({ timeout: 5000 })
await page.evaluate(() => {
  const { graph } = window.app.canvas
  graph.remove(graph.nodes.find((node) => node.comfyClass === 'CollageEditor'))
})
await page.locator('.collage-dialog').waitFor({ state: 'detached', timeout: 10000 }).catch(() => {})
put('large', await page.locator('.collage-dialog').count())

// the browser loads the page anew; then it stands in a second tab, too: each edits its own. Nothing of
// this depends on the look.
if (look === 'classic') await loadedAnew()
put('errors', editor.errors)
put('foreign', editor.foreign)
export default seen

async function loadedAnew() {
  const open = (where) =>
    where.evaluate((graph) => window.app.loadGraphData(graph, true, true, 'anew'), graphOf(saved))
  const held = (where) =>
    where.evaluate(
      () => window.app.graph.nodes.find((one) => one.comfyClass === 'CollageEditor').widgets[0].value,
    )
  const nudge = async (where) => {
    await where.evaluate(() =>
      [...document.querySelectorAll('.collage-keys')].find((one) => one.parentElement.offsetParent).focus(),
    )
    for (const key of ['Tab', 'ArrowRight']) await where.keyboard.press(key)
    return held(where)
  }
  const there = (where) =>
    where.waitForFunction(
      () => window.app?.graph?.nodes?.some((one) => one.comfyClass === 'CollageEditor') &&
        [...document.querySelectorAll('.collage-row')].filter((one) => one.offsetParent).length === 3,
      null,
      { timeout: 60000 },
    )
  await open(page)
  await there(page)
  const left = await nudge(page)
  await page.waitForTimeout(1500) // the page keeps what changed after a pause
  await page.reload({ waitUntil: 'domcontentloaded' })
  await there(page)
  put('fresh', { changed: left !== saved, kept: (await text()) === left, ...(await shown()) })
  const second = await page.context().newPage()
  second.on('pageerror', (error) => editor.errors.push(`${error} ${error.stack}`))
  await second.goto(url, { waitUntil: 'domcontentloaded' })
  await second.waitForFunction(() => window.app?.graph?.nodes?.length > 0, null, { timeout: 60000 })
  await open(second)
  await there(second)
  await nudge(second)
  const beside = await nudge(second)
  put('beside', { apart: beside !== left, first: (await text()) === left })
  await page.bringToFront()
  put('front', { moved: (await nudge(page)) !== left, second: (await held(second)) === beside })
  await second.close()
}

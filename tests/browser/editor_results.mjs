// Results of runs in the Collage Editor, and edits of them, on ComfyUI's page.
// Given: <server url> <picture.png> <classic|nodes2> <folder of mug, lemon and table>
import { keepSeen, openEditor } from './editor.mjs'

const [url, picture, look, folder] = process.argv.slice(2)
const editor = await openEditor(url, look)
const { page, at, drag, drop, read, layers, exact, focus } = editor
const seen = keepSeen()
const shot = (name) => page.screenshot({ path: picture.replace('.png', `_${name}.png`) })
/** Calls a function on the page with the context of the editor that is seen. */
const within = (call, given) =>
  page.evaluate(
    ([call, given]) => {
      const view = [...document.querySelectorAll('.collage-canvas')].find((one) => one.offsetParent)
      return new Function(`return ${call}`)()(view.collage.context, given)
    },
    [String(call), given],
  )
const urls = () => within(({ host }) => host.results.list().map((one) => one.url))
const message = () => editor.editor.locator('.collage-message').textContent()
/** Queues the graph and waits until its result is listed. */
async function run() {
  const before = await urls()
  const outcome = await editor.run()
  for (let i = 0; i < 100 && (await urls()).join() === before.join(); i += 1) await page.waitForTimeout(100)
  return outcome
}
/** The colour of the newest result at a point of the canvas. */
const colour = (x, y) =>
  within(
    async ({ host }, [x, y]) => {
      const bitmap = await createImageBitmap(await (await fetch(host.results.list()[0].url)).blob())
      const g = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')
      g.drawImage(bitmap, 0, 0)
      return [...g.getImageData(x, y, 1, 1).data.slice(0, 3)]
    },
    [x, y],
  )
const bar = (selector) => page.locator(`.collage-result:visible ${selector}`).first()
const press = (selector) => bar(selector).click()
const pixel = async (one) => [one.x, one.y].map((value) => Math.round(value * 512))
const mug = async () => (await read()).layers.find((one) => one.text === 'mug')
const showResult = () => within(({ display, host }) => display.set({ result: host.results.list()[0] }))
const until = (call) =>
  page.waitForFunction(
    (call) => {
      const { widgets } = window.app.graph.nodes.find((one) => one.comfyClass === 'CollageEditor')
      return new Function(`return ${call}`)()(JSON.parse(widgets[0].value))
    },
    String(call),
    { timeout: 20000 },
  )

await drop(
  ['table.jpg', 'mug.png', 'lemon.png'].map((name) => `${folder}/${name}`),
  await at(256, 256),
)
await layers(3)
await exact()
seen.ran = await run()
const old = await pixel(await mug())

// what is moved after the run is taken away from where the result has it
await focus()
await drag(await at(...old), await at(380, 400), { hold: 'Control' })
const now = await pixel(await mug())
await showResult()
await press('.collage-button-main input')
await until((document) => document.edit)
const { edit } = await read()
seen.edit = {
  moved: [old, now],
  before: await pixel(edit.before.layers.find((one) => one.text === 'mug')),
  layers: edit.layers.length,
}
await exact()
await shot('edit')
seen.colours = { old: [await colour(...old)], now: [await colour(...now)] }
seen.again = await run()
seen.colours.old.push(await colour(...old))
seen.colours.now.push(await colour(...now))
await shot('again')

// a run that waited in the queue ends while another workflow with the same ids is shown: it has no result
// of it, and its own workflow has, when it is shown again
const [newest] = await urls()
await within(({ edit }) => edit('background', (document) => ({ ...document, background: '#00ff00' })))
await page.evaluate(async () => {
  const { app } = window
  const waiting = await app.graphToPrompt()
  const { id, ...graph } = app.graph.serialize()
  await app.loadGraphData(graph, true, true, 'another')
  window.ended = new Promise((resolve) => {
    app.api.addEventListener('executing', ({ detail }) => detail ?? resolve())
  })
  await app.api.queuePrompt(0, waiting)
  await window.ended
})
await page.waitForTimeout(1500)
seen.another = await urls()
await page.getByText('collage', { exact: true }).first().click()
await page.waitForFunction(() => document.querySelector('.collage-editor')?.offsetParent)
await page.waitForTimeout(500)
const back = await urls()
seen.back = { count: back.length, other: back[0] !== newest, edit: Boolean((await read()).edit) }

// the report speaks of the document that was run, and of no other
const report = () => within(({ host }) => host.report.last().text.split('\n')[0])
seen.report = [await report(), await message()]
await within(({ edit }) => edit('background', (document) => ({ ...document, background: '#0000ff' })))
seen.report.push(await message())
await within(({ run }) => run('undo'))

// a canvas of another size than the result is refused by the run: it is said before, and mended
await within(({ edit }) => edit('canvas', (document) => ({ ...document, width: 768 })))
seen.wide = await message()

seen.refused = await page.evaluate(() => window.app.queuePrompt(0, 1).catch((error) => String(error)))
await page.locator('.collage-mend:visible input').click()
seen.mended = [(await read()).width, await message()]

// a sentence that comes over a link
await press('input[aria-label="End edit"]')
const link = (words) =>
  page.evaluate((words) => {
    const { graph } = window.app
    const node = window.LiteGraph.createNode('PrimitiveString')
    graph.add(node)
    node.widgets[0].value = words
    const to = graph.nodes.find((one) => one.comfyClass === 'CollageEditor')
    node.connect(0, to, to.inputs.findIndex((input) => input.name === 'prompt'))
  }, words)
const sentence = editor.editor.locator('.collage-sentence')
const state = async () => ({
  message: await message(),
  field: [await sentence.inputValue(), await sentence.isDisabled()],
  marks: await page.locator('.collage-mark-found:visible, .collage-mark-missing:visible').count(),
})
await within(({ edit }) => edit('sentence', (document) => ({ ...document, prompt: 'something else' })))
seen.unlinked = await state()
await link('a table with a mug and a lemon')
seen.linked = [await state(), await editor.run()]
await shot('linked')
await page.evaluate(() => {
  const { graph } = window.app
  graph.remove(graph.nodes.find((one) => one.type === 'PrimitiveString'))
})
seen.cut = await state()

// a result as a layer lies on top, and asks for its words
await within(({ edit }) => edit('sentence', (document) => ({ ...document, prompt: 'table, mug, lemon' })))
await showResult()
await press('input[aria-label="Add as a layer"]')
await layers(4)
const added = await read()
seen.added = [added.prompt, added.layers.map((one) => one.text), await message()]
await shot('added')

seen.errors = editor.errors
seen.foreign = editor.foreign
export default seen

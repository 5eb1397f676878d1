// An artist makes a collage of own pictures from a template, has it painted, and changes one thing in it.
// Given: <server url> <picture.png> <classic|nodes2> <folder of three pictures>
// Every use of the pointer and everything that is typed is counted.
import { readdirSync } from 'node:fs'
import { keepSeen, openEditor } from './editor.mjs'

const [url, picture, look, folder] = process.argv.slice(2)
const opened = await openEditor(url, look)
const { page, at, read, layers } = opened
const shot = (name) => page.screenshot({ path: picture.replace('.png', `_${name}.png`) })
const pointer = []
const typed = []
const seen = keepSeen({ pointer, typed })
const visible = (selector) => page.locator(`.collage-editor:visible ${selector}`).first()

async function point(what, action) {
  pointer.push(what)
  await action()
  await page.waitForTimeout(300)
}
async function type(text) {
  typed.push(text)
  await page.keyboard.type(text)
}
const drag = (what, from, to) => point(what, () => opened.drag(from, to))
const place = async (text) => {
  const { width, height, layers } = await read()
  const { x, y } = layers.find((layer) => layer.text === text)
  return (await at(x * width, y * height)).slice(0, 2)
}
/** Ends with what became of the run, and the address of the picture that it saved. */
const ended = () => page.evaluate(() => new Promise((resolve) => {
  const { api } = window.app
  let saved = ''
  api.addEventListener('executed', ({ detail }) => {
    const image = detail.output?.images?.find(({ type }) => type === 'output')
    if (image) saved = api.apiURL(`/view?${new URLSearchParams(image)}`)
  })
  const end = (outcome) => resolve({ outcome, saved })
  api.addEventListener('execution_success', () => end('success'), { once: true })
  api.addEventListener('execution_error', ({ detail }) => end(detail.exception_message), { once: true })
  setTimeout(() => end('no answer in time'), 240000)
}))
async function run() {
  const outcome = ended()
  await point('Run', () => page.locator('[data-testid=queue-button]').first().click())
  return outcome
}

await point('Templates', () => page.getByRole('button', { name: /^templates/i }).first().click())
const search = page.getByPlaceholder(/search/i).last()
const card = page.locator('[data-testid="template-workflow-1_bento_box_editor"]')
await search.waitFor({ timeout: 60000 })
for (let attempt = 0; attempt < 12 && !(await card.isVisible()); attempt += 1) {
  await search.fill('') // what is typed before the list has arrived is forgotten
  await search.fill('box editor')
  await card.waitFor({ timeout: 10000 }).catch(() => {})
}
await shot('templates')
await point('the template', () => card.click())
await page.waitForFunction(() => window.app.graph?.nodes?.some(({ type }) => type === 'CollagePasteBack'))
await layers(6)
await page.waitForTimeout(1500)
await shot('template')
// no part of the artist's work: the test has less time than the picture deserves
await page.evaluate(() => {
  const sampler = window.app.graph.nodes.find(({ type }) => type === 'PerLayerNoiseKSampler')
  sampler.widgets.find(({ name }) => name === 'steps').value = 4
})

const middle = await at(128, 128)
await point('the canvas', () => page.mouse.click(middle[0], middle[1]))
await page.keyboard.press('Control+a')
await page.keyboard.press('Delete')
await layers(0)
seen.emptied = (await read()).prompt
const files = readdirSync(folder).sort().map((name) => `${folder}/${name}`)
await point('three files', () => opened.drop(files, middle.slice(0, 2)))
await layers(3)
await page.waitForTimeout(800)
await shot('dropped')
seen.dropped = (await read()).layers.map(({ text, fit }) => [text, fit])
const [x, y, scale] = middle
await page.keyboard.press('Escape')
await drag('the lemon', await place('lemon'), [x + 65 * scale, y + 50 * scale])
await page.keyboard.press('Escape')
await drag('the mug', await place('blue mug'), [x - 50 * scale, y - 20 * scale])
await point('words', () => visible('.collage-row:has-text("lemon") .collage-row-input').dblclick())
await type('ripe lemon')
await page.keyboard.press('Enter')
await page.waitForTimeout(1000)
seen.document = await read()
await shot('laid_out')
seen.message = await visible('.collage-message').textContent()
const height = async () => (await visible('.collage-canvas').boundingBox()).height
const before = await height()
const painted = await run()
seen.painted = painted.outcome
await page.waitForTimeout(1500)
seen.shrunk = before - (await height())
await shot('painted')
seen.budget = pointer.length

// the result becomes the base of an edit of one layer; nothing but the editor is touched
const links = () => page.evaluate(() => JSON.stringify(window.app.graph.serialize().links))
const wired = await links()
await visible('.collage-segments input[aria-label="Result"]').click()
const split = () => page.evaluate(() => document.querySelector('.collage-canvas').collage.context.display.split)
seen.split = [await split()]
await opened.drag((await at(128, 200)).slice(0, 2), (await at(64, 200)).slice(0, 2))
seen.split.push(await split())
await visible('.collage-row:has-text("lemon") .collage-row-input').click()
await visible('input[aria-label="Edit this result"]').click()
await page.waitForFunction(() => window.app.graph.nodes.some((node) =>
  node.type === 'CollageEditor' && JSON.parse(node.widgets[0].value).edit))
await page.waitForTimeout(500)
seen.room = await page.evaluate(() => {
  const [canvas, settings] = ['canvas', 'controls'].map((name) => document.querySelector(`.collage-${name}`))
  return [canvas.clientHeight, settings.scrollHeight - settings.clientHeight]
})
await shot('edit')
const edited = await run()
seen.edited = edited.outcome
seen.wired = (await links()) === wired
await page.waitForTimeout(1500)
await shot('edited')
/** The share of pixels that two pictures have in common, to the bit. */
seen.same = await page.evaluate(async (urls) => {
  const [one, other] = await Promise.all(urls.map(async (url) => {
    const bitmap = await createImageBitmap(await (await fetch(url)).blob())
    const g = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')
    g.drawImage(bitmap, 0, 0)
    return new Uint32Array(g.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer)
  }))
  return one.filter((pixel, index) => pixel === other[index]).length / one.length
}, [painted.saved, edited.saved])
seen.errors = opened.errors
seen.foreign = opened.foreign
export default seen

// Cut-outs on ComfyUI's page, by mouse and by keyboard.
// Given: <server url> <picture.png> <classic|nodes2> <en|zh> <folder of lemon.png, mug.png and huge.jpg>
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { LAYER_DEFAULTS } from '../../web/editor/document.mjs'
import { keepSeen, openEditor } from './editor.mjs'

const [url, picture, look, language, folder] = process.argv.slice(2)
const shot = (name) => page.screenshot({ path: picture.replace('.png', `_${name}.png`) })

async function upload(file) {
  const bytes = readFileSync(`${folder}/${file}`)
  const name = `${createHash('sha256').update(bytes).digest('hex')}.${file.split('.').at(-1)}`
  const form = new FormData()
  form.append('image', new File([bytes], name))
  form.append('subfolder', 'collage')
  await fetch(`${url}/upload/image`, { method: 'POST', body: form })
  return `collage/${name}`
}
const [lemon, mug, huge] = [await upload('lemon.png'), await upload('mug.png'), await upload('huge.jpg')]
const made = (id, text, fields) => ({ ...LAYER_DEFAULTS, id, text, ...fields })
const document = JSON.stringify({
  version: 1, width: 512, height: 512, background: '#7a4e2d', prompt: 'a blue mug and a lemon',
  layers: [
    made('lemo', 'a lemon', { picture: lemon, size: [600, 450], fit: 'contain', scale: 0.7, x: 0.42, y: 0.55, rotation: 12 }),
    made('mugg', 'a blue mug', { picture: mug, size: [600, 600], fit: 'cover', scale: 0.5, x: 0.7, y: 0.4, flip: 'horizontal' }),
  ],
})
const editor = await openEditor(url, look, { document, language, settings: { 'Comfy.Locale': language } })
const { page, at, read, focus } = editor
const seen = keepSeen({ first: { lemon, mug, huge } })
const layer = async (id) => (await read()).layers.find((one) => one.id === id)

/** The exact composite of the editor's document, by the page's own modules. */
await page.evaluate(async () => {
  const [extension] = (await (await fetch('/extensions')).json()).filter((one) => one.endsWith('/errors.js'))
  const module = (name) => import(extension.replace('errors.js', `editor/${name}.mjs`))
  const { createPictures } = await module('pictures')
  const { createCompositor } = await module('compositor')
  const { read } = await module('document')
  const pictures = createPictures((name) => {
    const [file, ...folders] = name.split('/').reverse()
    return `/view?${new URLSearchParams({ filename: file, subfolder: folders.reverse().join('/'), type: 'input' })}`
  })
  const compositor = createCompositor(pictures)
  window.composed = async (text) => {
    const { document } = read(text)
    await Promise.all(document.layers.map((one) => pictures.load(one.picture)))
    return compositor.request(document)
  }
})
/** How far two documents' composites differ where a layer of the second is opaque. */
const differ = (before, after, id) =>
  page.evaluate(
    async ([before, after, id]) => {
      const [a, b] = [await window.composed(before), await window.composed(after)]
      const alpha = b.visible[id]
      let [most, count, outside] = [0, 0, 0]
      for (let i = 0; i < alpha.length; i += 1) {
        const away = Math.max(...[0, 1, 2].map((k) => Math.abs(a.pixels[4 * i + k] - b.pixels[4 * i + k])))
        if (alpha[i] > 250) [most, count] = [Math.max(most, away), count + 1]
        else outside += away > 40 ? 1 : 0
      }
      return { most, count, outside }
    },
    [before, after, id],
  )
const bar = page.locator('.collage-cut:visible')
const press = (index) => bar.locator('.collage-cut-row:visible > .collage-button input').nth(index).click()
const changed = (id, before) =>
  page.waitForFunction(
    ([id, before]) => {
      const { value } = window.app.graph.nodes.find((node) => node.comfyClass === 'CollageEditor').widgets[0]
      return JSON.parse(value).layers.find((one) => one.id === id).picture !== before
    },
    [id, before],
    { timeout: 60000 },
  )
const text = editor.text
await editor.exact()

// trim by mouse: nothing on the canvas changes
await page.locator('.collage-row').nth(0).click()
await focus()
await page.keyboard.press('x')
await bar.waitFor()
await shot('open')
const start = await text()
await press(0)
await changed('mugg', mug)
seen.trimmed = await layer('mugg')
seen.trimDiffers = await differ(start, await text(), 'mugg')
await focus()
await page.keyboard.press('Control+z')
seen.undone = (await text()) === start

// plain ground by keyboard: the slider is looked at, Enter cuts
await page.locator('.collage-row').nth(1).click()
await press(1)
await page.waitForTimeout(1200)
await shot('ground')
seen.focus = await page.evaluate(() => window.document.activeElement.type)
for (const key of ['ArrowRight', 'ArrowRight', 'ArrowLeft']) await page.keyboard.press(key)
seen.untouched = (await text()) === start
await page.keyboard.press('Enter')
await changed('lemo', lemon)
const cut = await layer('lemo')
seen.cut = cut
seen.cutDiffers = await differ(start, await text(), 'lemo')
await editor.exact()
await shot('cut')

// polygon by mouse, on what was cut; Escape leaves it, the first point closes it
await press(2)
const place = async (x, y) => (await at(x, y)).slice(0, 2)
await page.mouse.click(...(await place(150, 260)))
await page.keyboard.press('Escape')
seen.left = (await bar.isVisible()) && (await layer('lemo')).picture === cut.picture
await press(2)
const corners = [[140, 240], [230, 220], [300, 330], [170, 340]]
for (const corner of corners) await page.mouse.click(...(await place(...corner)))
await page.mouse.move(...(await place(142, 250)))
await page.waitForTimeout(200)
await shot('polygon')
await page.mouse.click(...(await place(...corners[0])))
await changed('lemo', cut.picture)
const twice = await layer('lemo')
seen.twice = twice

// from the start: the very first picture, where it was
await press(3)
await changed('lemo', twice.picture)
seen.again = await layer('lemo')
seen.againDiffers = await differ(start, await text(), 'lemo')

// by keyboard alone: a triangle to take away
await press(2)
await bar.locator('.collage-segments input').nth(1).press('Enter')
await focus()
const go = async (key, times) => {
  for (let i = 0; i < times; i += 1) await page.keyboard.press(key)
  await page.keyboard.press(' ')
}
await go('Shift+ArrowLeft', 7)
await go('Shift+ArrowLeft', 6)
await go('Shift+ArrowDown', 8)
await page.waitForTimeout(200)
await shot('keys')
await page.keyboard.press('Enter')
await changed('lemo', lemon)
seen.keys = await layer('lemo')
await editor.exact()
await shot('taken')
await page.keyboard.press('Escape')
seen.closed = !(await bar.isVisible())

// 12 megapixels: the page goes on meanwhile
await page.evaluate(([id, name]) => {
  const widget = window.app.graph.nodes.find((node) => node.comfyClass === 'CollageEditor').widgets[0]
  const value = JSON.parse(widget.value)
  Object.assign(value.layers.find((one) => one.id === id), { picture: name, size: [4000, 3000], from: '' })
  widget.value = JSON.stringify(value)
}, ['lemo', huge])
await editor.exact()
await page.locator('.collage-row').nth(1).click()
await focus()
await page.keyboard.press('x')
await press(1)
await page.waitForTimeout(1500)
await page.evaluate(() => {
  window.longest = 0
  let last = performance.now()
  window.watch = setInterval(() => {
    window.longest = Math.max(window.longest, performance.now() - last)
    last = performance.now()
  }, 10)
})
const began = Date.now()
await page.keyboard.press('Enter')
await changed('lemo', huge)
seen.huge = { ms: Date.now() - began, blocked: await page.evaluate(() => Math.round(window.longest)), layer: await layer('lemo') }
await editor.exact()
await shot('huge')
seen.errors = editor.errors
seen.foreign = editor.foreign
export default seen

// What an editor bears: frames while 20 layers are dragged, 64 layers, a photo of 40 megapixels, missing pictures.
// Given: <server url> <picture.png> <classic|nodes2>
import { dragged, fill } from './discs.mjs'
import { keepSeen, openEditor } from './editor.mjs'

const [url, picture, look] = process.argv.slice(2)
const editor = await openEditor(url, look)
const { page, read, layers, exact } = editor
const seen = keepSeen()
const shot = (name) => page.screenshot({ path: picture.replace('.png', `_${name}.png`) })

await fill(page, 6, 512)
await exact()
seen.six = await dragged(editor, 1)
await fill(page, 20, 1024)
await exact()
await shot('twenty')
seen.twenty = await dragged(editor, 1)
const high = () => page.evaluate(() => document.querySelector('.collage-editor').offsetHeight)
const height = await high()
await fill(page, 64, 1024)
await exact()
seen.full = await dragged(editor, 1)
seen.heights = [height, await high()]
await shot('full')

// one more is refused with a sentence; a photo of 40 megapixels is not
const drop = (width, height) =>
  page.evaluate(
    async ([width, height]) => {
      const canvas = new OffscreenCanvas(width, height)
      const g = canvas.getContext('2d')
      const shade = g.createLinearGradient(0, 0, width, height)
      shade.addColorStop(0, '#264')
      shade.addColorStop(1, '#fc8')
      g.fillStyle = shade
      g.fillRect(0, 0, width, height)
      const file = new File([await canvas.convertToBlob({ type: 'image/jpeg' })], 'evening sky.jpg', {
        type: 'image/jpeg',
      })
      const data = new DataTransfer()
      data.items.add(file)
      const target = document.querySelector('.collage-canvas-surface')
      const { left, top, width: w, height: h } = target.getBoundingClientRect()
      const place = { clientX: left + w / 2, clientY: top + h / 2 }
      target.dispatchEvent(
        new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true, ...place }),
      )
    },
    [width, height],
  )
await drop(64, 64)
await page.locator('.collage-notice:visible').waitFor({ timeout: 20000 })
seen.refused = await page.locator('.collage-notice').first().innerText()
await fill(page, 3, 1024)
await drop(8000, 5000)
await layers(4)
await exact()
seen.photo = {
  ...(await dragged(editor, 1)),
  layer: (({ text, fit, size }) => ({ text, fit, size }))((await read()).layers[0]),
}
await shot('photo')

// a picture that is not there is said, and nothing breaks
await page.evaluate(() => {
  const { context } = document.querySelector('.collage-canvas').collage
  const [first, second, ...rest] = context.model.document.layers
  const gone = `collage/${'0'.repeat(64)}.png`
  context.model.edit('', (document) => ({
    ...document,
    layers: [first, { ...second, picture: gone }, ...rest],
  }))
})
const messages = page.locator('.collage-messages').first()
await messages.getByText('missing').first().waitFor({ timeout: 20000 }).catch(() => {})
seen.missing = await messages.innerText()
await shot('missing')
seen.errors = editor.errors.filter((error) => !error.includes('0'.repeat(64))) // the server's own 404
seen.foreign = editor.foreign
export default seen

// What an editor bears: frames while 20 layers are dragged, 64 layers, a photo of 40 megapixels, missing pictures.
// node editor_limits.mjs <server url> <picture.png> <classic|nodes2>
import { openEditor } from './editor.mjs'

const [url, picture, look] = process.argv.slice(2)
const editor = await openEditor(url, look)
const { page, at, read, layers, exact } = editor
const seen = {}
process.on('uncaughtException', (error) => {
  console.log(JSON.stringify(seen))
  console.error(error)
  process.exit(1)
})
const shot = (name) => page.screenshot({ path: picture.replace('.png', `_${name}.png`) })

/** A collage of so many discs of 512 pixels, on a canvas of this side. */
const fill = (count, side) =>
  page.evaluate(
    async ([count, side]) => {
      const { context } = document.querySelector('.collage-canvas').collage
      const names = []
      for (let hue = 0; hue < 5; hue += 1) {
        const canvas = new OffscreenCanvas(512, 512)
        const g = canvas.getContext('2d')
        const shade = g.createRadialGradient(200, 180, 20, 256, 256, 250)
        shade.addColorStop(0, `hsl(${hue * 72}, 90%, 85%)`)
        shade.addColorStop(1, `hsl(${hue * 72}, 80%, 35%)`)
        g.fillStyle = shade
        g.arc(256, 256, 250, 0, 7)
        g.fill()
        names.push(await context.host.upload(await canvas.convertToBlob(), 'png'))
      }
      for (const name of names) await context.pictures.load(name)
      const layer = (index) => ({
        id: `disc${index}`,
        picture: names[index % 5],
        size: [512, 512],
        text: `disc ${index}`,
        fit: 'contain',
        x: 0.15 + 0.7 * ((index % 5) / 4),
        y: 0.15 + 0.7 * ((Math.floor(index / 5) % 5) / 4),
        scale: 0.4,
        rotation: 7 * index,
        flip: 'none',
        blend: 'normal',
        opacity: 1,
        visible: true,
        noise: 0.6,
        attract: 0.3,
        repel: 0.5,
        control: 1,
        look: '',
        locked: false,
        from: '',
      })
      const all = Array.from({ length: count }, (_, index) => layer(index))
      context.model.edit('', (document) => ({ ...document, width: side, height: side, layers: all }))
    },
    [count, side],
  )

/** Frames per second, and milliseconds until the exact picture, while the middle layer is dragged about. */
async function dragged(seconds = 3) {
  const { layers: all, width } = await read()
  const one = all.at(-3)
  const [x, y] = await at(one.x * width, one.y * width)
  await page.mouse.move(x, y)
  await page.mouse.down()
  const from = await page.evaluate(() => [
    document.querySelector('.collage-canvas').collage.frames(),
    performance.now(),
  ])
  for (let step = 0, end = Date.now() + seconds * 1000; Date.now() < end; step += 1) {
    await page.mouse.move(x - 40 + 40 * Math.cos(step / 9), y + 40 * Math.sin(step / 9))
  }
  const to = await page.evaluate(() => [
    document.querySelector('.collage-canvas').collage.frames(),
    performance.now(),
  ])
  await page.mouse.up()
  const letGo = await page.evaluate(() => performance.now())
  await exact()
  const settled = (await page.evaluate(() => performance.now())) - letGo
  return { frames: Math.round((1000 * (to[0] - from[0])) / (to[1] - from[1])), settled: Math.round(settled) }
}

await fill(6, 512)
await exact()
seen.six = await dragged()
await fill(20, 1024)
await exact()
await shot('twenty')
seen.twenty = await dragged()
const high = () => page.evaluate(() => document.querySelector('.collage-editor').offsetHeight)
const height = await high()
await fill(64, 1024)
await exact()
seen.full = await dragged()
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
await fill(3, 1024)
await drop(8000, 5000)
await layers(4)
await exact()
seen.photo = {
  ...(await dragged(2)),
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
await page.waitForTimeout(2500)
seen.missing = await page.locator('.collage-messages').first().innerText()
await shot('missing')
seen.errors = editor.errors.filter((error) => !error.includes('0'.repeat(64))) // the server's own 404
seen.foreign = editor.foreign
console.log(JSON.stringify(seen))
await editor.browser.close()

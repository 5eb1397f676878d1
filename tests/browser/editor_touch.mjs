// Fingers and a pen on the canvas.
// Given: <server url> <picture.png> <classic|nodes2> <folder of mug, lemon and table>
import { keepSeen, openEditor } from './editor.mjs'

const [url, picture, look, folder] = process.argv.slice(2)
const editor = await openEditor(url, look)
const { page, at, drop, read, layers } = editor
const touch = await page.context().newCDPSession(page)
const fingers = (type, ...points) =>
  touch.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) })
const scale = () => page.evaluate(() => document.querySelector('.collage-canvas').collage.viewport.scale())
const lemon = async () => (await read()).layers.at(-1)
const seen = keepSeen()

await drop(
  ['table.jpg', 'lemon.png'].map((name) => `${folder}/${name}`),
  await at(256, 256),
)
await layers(2)
const start = await lemon()
const [x, y, k] = await at(start.x * 512, start.y * 512)
await fingers('touchStart', [x, y])
for (let step = 1; step <= 6; step += 1) await fingers('touchMove', [x - 12 * k * step, y - 8 * k * step])
await fingers('touchEnd')
await page.waitForTimeout(300)
const moved = await lemon()
seen.moved = [(moved.x - start.x) * 512, (moved.y - start.y) * 512].map(Math.round)

// a second finger ends the drag, and both together are the view's
const before = await scale()
const [a, b] = await at(moved.x * 512, moved.y * 512)
await fingers('touchStart', [a, b])
await fingers('touchMove', [a + 20, b])
await fingers('touchStart', [a + 20, b], [a + 80, b])
for (let step = 1; step <= 6; step += 1)
  await fingers('touchMove', [a + 20 - 10 * step, b], [a + 80 + 10 * step, b])
await fingers('touchEnd')
await page.waitForTimeout(300)
seen.pinched = Number(((await scale()) / before).toFixed(2))
seen.stayed = JSON.stringify(await lemon()) === JSON.stringify(moved)
seen.graph = await page.evaluate(() => window.app.canvas.ds.scale)

// a pen is a pointer like a mouse
await page.evaluate(() => document.querySelector('.collage-canvas').collage.context.run('fitView'))
await page.waitForTimeout(300)
const [px, py] = await at(moved.x * 512, moved.y * 512)
const pen = (type, x, y) =>
  touch.send('Input.dispatchMouseEvent', {
    type,
    x,
    y,
    button: 'left',
    buttons: 1,
    clickCount: 1,
    pointerType: 'pen',
  })
await pen('mousePressed', px, py)
for (let step = 1; step <= 6; step += 1) await pen('mouseMoved', px + 10 * step, py)
await pen('mouseReleased', px + 60, py)
await page.waitForTimeout(300)
seen.pen = (await lemon()).x > moved.x
await page.screenshot({ path: picture })
seen.errors = editor.errors
seen.foreign = editor.foreign
export default seen

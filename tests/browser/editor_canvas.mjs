// A collage laid out by mouse on ComfyUI's page.
// Given: <server url> <picture.png> <classic|nodes2> <folder of mug, lemon and table>
import { keepSeen, lookAt, openEditor } from './editor.mjs'

const [url, picture, look, folder] = process.argv.slice(2)
const editor = await openEditor(url, look)
const { page, at, drag, drop, read, layers } = editor
const shot = (name) => page.screenshot({ path: picture.replace('.png', `_${name}.png`) })
const seen = keepSeen()
const layer = async (text) => (await read()).layers.findLast((one) => one.text === text)
const place = async (text) => {
  const { x, y } = await layer(text)
  return at(x * 512, y * 512)
}
const chosen = () =>
  page.evaluate(() =>
    [...document.querySelectorAll('.collage-row.collage-chosen .collage-row-words')].map(
      (one) => one.textContent,
    ),
  )
const nodes = () =>
  page.evaluate(() =>
    window.app.graph.nodes.map((node) => [...node.pos, ...node.size].map(Math.round).join()),
  )

await shot('empty')
const files = ['table.jpg', 'mug.png', 'lemon.png'].map((name) => `${folder}/${name}`)
await drop(files, await at(256, 256))
await layers(3)
await page.waitForTimeout(800)
const start = await read()
seen.dropped = start.layers.map(({ text, fit, scale }) => [text, fit, scale])
seen.prompt = start.prompt
seen.nodes = (await nodes()).length

// a drag that misses an object moves no photo behind it, before a click has chosen that
const table = await layer('table')
const miss = await at(8, 504)
await drag(miss, [miss[0] + 60, miss[1] - 40], { hold: 'Control' })
seen.missed = [await chosen(), JSON.stringify(await layer('table')) === JSON.stringify(table)]

// apart by mouse, at three zooms of the graph
await page.mouse.click(...(await at(6, 506)).slice(0, 2))
seen.underneath = await chosen()
await drag(await at(8, 504), await at(28, 504), { hold: 'Control' })
seen.pulled = (await layer('table')).x
await page.keyboard.press('Control+z')
seen.drags = []
/** How often a drag asks the page what can be seen, each time of which lays it out anew. */
async function layouts(drag) {
  await page.evaluate(() => {
    const asked = (window.collageAsked = { count: 0, check: Element.prototype.checkVisibility })
    Element.prototype.checkVisibility = function (...given) {
      asked.count += 1
      return asked.check.apply(this, given)
    }
  })
  await drag()
  return page.evaluate(() => {
    Element.prototype.checkVisibility = window.collageAsked.check
    return window.collageAsked.count
  })
}
for (const zoom of [0.6, 1.4, 1]) {
  await lookAt(page, zoom, [-120 + 150 / zoom, -60 + 60 / zoom])
  const before = await nodes()
  const [x, y, scale] = await place('lemon')
  const asked = await layouts(() => drag([x, y], [x + 33 * scale, y - 31 * scale], { hold: 'Control' }))
  const now = await layer('lemon')
  const then = (await at(0, 0)).slice(2)[0]
  seen.drags.push({
    zoom,
    scale: then,
    x: now.x,
    y: now.y,
    asked,
    stayed: JSON.stringify(before) === JSON.stringify(await nodes()),
  })
}
await lookAt(page, 1)
await shot('dragged')

// the mug's transparent corner lets the table be taken
const mug = await layer('mug')
const half = (mug.scale * 512) / 2
await page.mouse.click(
  ...(await at(mug.x * 512 - half + 6, mug.y * 512 - half * (700 / 900) + 6)).slice(0, 2),
)
seen.corner = await chosen()
await page.mouse.click(...(await place('mug')).slice(0, 2))
seen.opaque = await chosen()
await page.mouse.click(...(await place('mug')).slice(0, 2))
seen.again = await chosen()

// corner, knob, and what Shift, Alt and snapping do
await page.mouse.click(5, 500)
await page.mouse.click(...(await place('mug')).slice(0, 2))
const corner = await at(mug.x * 512 + half, mug.y * 512 + half * (700 / 900))
await page.mouse.move(corner[0], corner[1])
seen.cursors = {
  corner: await page.evaluate(() => document.querySelector('.collage-canvas-surface').style.cursor),
}
const centre = await place('mug')
await drag(corner, [centre[0] + (corner[0] - centre[0]) * 0.8, centre[1] + (corner[1] - centre[1]) * 0.8])
seen.scaled = (await layer('mug')).scale
const smaller = 0.8 * half
const knob = await at(mug.x * 512, mug.y * 512 - smaller * (700 / 900))
await page.mouse.move(knob[0], knob[1] - 26)
seen.cursors.knob = (
  await page.evaluate(() => document.querySelector('.collage-canvas-surface').style.cursor)
).slice(0, 4)
const away = centre[1] - (knob[1] - 26)
await drag([knob[0], knob[1] - 26], [centre[0] - away, centre[1] - 3], { hold: 'Shift' })
seen.turned = (await layer('mug')).rotation
await shot('turned')
const beforeCopy = await place('lemon')
await drag(beforeCopy, [beforeCopy[0] - 150, beforeCopy[1] + 100], { hold: 'Alt' })
seen.copied = (await read()).layers.map((one) => one.text)
const lemonsX = (await layer('lemon')).x
const lemon = await place('lemon')
await drag(lemon, [lemon[0] + 3, lemon[1] + 80], { hold: 'Shift' })
const moved = await layer('lemon')
seen.oneAxis = [moved.x === lemonsX, moved.y > 0.6]

// Shift adds to what is chosen, and takes out again
await page.mouse.click(...(await place('mug')).slice(0, 2))
await page.keyboard.down('Shift')
await page.mouse.click(...(await place('lemon')).slice(0, 2))
seen.added = await chosen()
await page.mouse.click(...(await place('lemon')).slice(0, 2))
await page.keyboard.up('Shift')
seen.takenOut = await chosen()

// back to the very beginning and forward again, the node being the same one
await page.evaluate(() => {
  window.collageNode = window.app.graph.nodes[0]
})
const last = await read()
for (let step = 0; step < 20; step += 1) await page.keyboard.press('Control+z')
seen.undone = (await read()).layers.length
for (let step = 0; step < 20; step += 1) await page.keyboard.press('Control+Shift+z')
await page.waitForTimeout(300)
seen.redone = JSON.stringify(await read()) === JSON.stringify(last)
seen.sameNode = await page.evaluate(() => window.collageNode === window.app.graph.nodes[0])

// the wheel is the graph's until the editor has the focus
const zooms = () =>
  page.evaluate(() => [
    window.app.canvas.ds.scale,
    document.querySelector('.collage-canvas').collage.viewport.scale(),
  ])
await page.mouse.move(...(await at(256, 256)).slice(0, 2))
const before = await zooms()
await page.mouse.wheel(0, -200)
await page.waitForTimeout(300)
const focused = await zooms()
await page.keyboard.press('Control+0')
await page.evaluate(() => document.activeElement.blur())
await page.mouse.wheel(0, 200)
await page.waitForTimeout(500)
const unfocused = await zooms()
seen.wheel = {
  focused: [focused[0] / before[0], focused[1] / before[1]],
  unfocused: [unfocused[0] / before[0], unfocused[1] / before[1]],
}
await lookAt(page, 1)

// the middle button moves the view, and not the graph
await editor.focus()
const shift = () => page.evaluate(() => window.app.canvas.ds.offset.join())
const graph = await shift()
const [px, py] = await at(256, 256)
await page.mouse.move(px, py)
await page.mouse.down({ button: 'middle' })
await page.mouse.move(px + 40, py + 30, { steps: 4 })
await page.mouse.up({ button: 'middle' })
const [qx, qy] = await at(256, 256)
seen.panned = [qx - px, qy - py].map(Math.round)
seen.graphStayed = (await shift()) === graph
await page.keyboard.press('Control+0')

// large, and back
await editor.focus()
await page.keyboard.press('Enter')
await page.waitForTimeout(900)
const within = '.collage-dialog'
const then = await layer('lemon')
const [x, y, scale] = await at(then.x * 512, then.y * 512, within)
await drag([x, y], [x + 40 * scale, y + 10 * scale], { hold: 'Control' })
await shot('large')
seen.large = { scale, x: (await layer('lemon')).x - then.x }
await page.keyboard.press('Control+z')
seen.largeUndone = (await layer('lemon')).x === then.x
await page.keyboard.press('Escape')
await page.keyboard.press('Escape')
await page.waitForTimeout(300)
seen.closed = await page.locator(within).count()

seen.errors = editor.errors
seen.foreign = editor.foreign
export default seen

// A collage made without a pointer: every gesture of the canvas has its keys, and none reaches the page.
// Given: <server url> <picture.png> <classic|nodes2> <folder of mug, lemon and table>
import { readFileSync } from 'node:fs'
import { keepSeen, openEditor } from './editor.mjs'

const [url, picture, look, folder] = process.argv.slice(2)
const editor = await openEditor(url, look)
const { page, read, layers, focus } = editor
const seen = keepSeen()
const press = async (...keys) => {
  for (const key of keys) await page.keyboard.press(key)
}
const chosen = async () => {
  const ids = await page.evaluate(
    () => document.querySelector('.collage-canvas').collage.context.model.chosen,
  )
  return (await read()).layers.filter((one) => ids.includes(one.id)).map((one) => one.text)
}
const lemon = async () => (await read()).layers.find((one) => one.text === 'lemon')
const nodes = () => page.evaluate(() => window.app.graph.nodes.length)
const display = () =>
  page.evaluate(() => {
    const { overlay, zoom } = document.querySelector('.collage-canvas').collage.context.display
    return { overlay, zoom }
  })

/** Pastes pictures, as after copying files. */
const paste = (names) =>
  page.evaluate(
    (files) => {
      const data = new DataTransfer()
      for (const { bytes, name } of files) {
        data.items.add(new File([Uint8Array.from(atob(bytes), (sign) => sign.charCodeAt(0))], name))
      }
      const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
      document.activeElement.dispatchEvent(event)
    },
    names.map((name) => ({ name, bytes: readFileSync(`${folder}/${name}`).toString('base64') })),
  )

await focus()
await paste(['table.jpg', 'mug.png', 'lemon.png'])
await layers(3)
seen.pasted = (await read()).layers.map((one) => one.text)
seen.nodes = await nodes()

// Tab goes through the layers from the top, and then on to the next part of the editor
await press('Escape', 'Tab')
const walk = [await chosen()]
for (let step = 0; step < 2; step += 1) {
  await press('Tab')
  walk.push(await chosen())
}
await press('Tab')
walk.push(await page.evaluate(() => document.activeElement.matches('.collage-keys')))
seen.walk = walk
await focus()
await press('Escape', 'Tab')

const { x, y, scale, rotation } = await lemon()
await press('ArrowRight', 'Shift+ArrowDown')
const moved = await lemon()
seen.moved = [(moved.x - x) * 512, (moved.y - y) * 512].map((value) => Number(value.toFixed(1)))
// a key that is held, here and in a field, is one step for the editor and for the page
const steps = () =>
  page.evaluate(() => {
    const { changeTracker } = window.app.extensionManager.workflow.activeWorkflow
    return changeTracker.undoQueue.length
  })
const hold = async (key) => {
  const before = await steps()
  for (let times = 0; times < 20; times += 1) await page.keyboard.down(key)
  await page.keyboard.up(key)
  await page.waitForTimeout(300)
  return (await steps()) - before
}
const field = page.locator('.collage-editor:visible .collage-field-inside input').first()
seen.held = { canvas: await hold('ArrowRight'), far: Math.round(((await lemon()).x - moved.x) * 512) }
await press('Control+z')
seen.held.back = (await lemon()).x === moved.x
await field.focus()
seen.held.field = await hold('ArrowUp')
await focus()
await press('Control+z')
seen.held.fieldBack = JSON.stringify(await lemon()) === JSON.stringify(moved)
const range = page.locator('.collage-editor:visible .collage-range').first()
await range.focus()
seen.held.slider = await hold('ArrowRight')
await focus()
await press('Control+z')
seen.held.sliderBack = JSON.stringify(await lemon()) === JSON.stringify(moved)
await press('+', 'Shift++', '-', 'Shift+-')
seen.scaled = Math.abs((await lemon()).scale - scale) < 0.001
await press('+')
seen.larger = Number(((await lemon()).scale / scale).toFixed(3))
await press('[', 'Shift+[', ']')
seen.turned = (await lemon()).rotation - rotation
await press('f', 'Shift+F')
seen.flipped = (await lemon()).flip
await press('PageDown')
seen.lower = (await read()).layers.map((one) => one.text)
await press('Home', 'End', 'PageUp', 'Home')
seen.top = (await read()).layers.map((one) => one.text)
await press('h', 'l')
seen.switches = [(await lemon()).visible, (await lemon()).locked]
await press('ArrowRight', 'Delete')
seen.locked = (await lemon()).x === moved.x
await press('l', 'h', 'c')
seen.centred = [(await lemon()).x, (await lemon()).y]
await press('0')
seen.fits = [(await lemon()).fit, (await lemon()).scale]
await press('Control+d')
await layers(4)
seen.copies = await chosen()
await press('Control+c', 'Control+v')
await layers(5)
await press('Delete', 'Delete')
seen.deleted = (await read()).layers.length
await press('n')
const noise = await display()
await press('m')
const masks = await display()
await press('m')
seen.overlays = [noise.overlay, masks.overlay, (await display()).overlay]
await press('Control+=')
const closer = await display()
await press('Control+0')
seen.zooms = [closer.zoom, (await display()).zoom]

// what the page would make of such letters
for (const key of ['r', 'w', 'q', 'g', 'p', 'Control+a', 'Control+g', 'Control+b', '.']) await press(key)
seen.all = (await chosen()).length
await page.waitForTimeout(600)
seen.page = await page.evaluate(() => ({
  selected: Object.keys(window.app.canvas.selected_nodes ?? {}).length,
  bypassed: window.app.graph.nodes.filter((node) => node.mode !== 0).length,
  groups: window.app.graph.groups?.length ?? 0,
  panels: [...document.querySelectorAll('.side-bar-panel, .sidebar-content-container')].filter(
    (one) => one.offsetWidth > 50,
  ).length,
}))
seen.nodesAfter = await nodes()
const last = JSON.stringify(await read())
for (let step = 0; step < 40; step += 1) await press('Control+z')
seen.undone = (await read()).layers.length
for (let step = 0; step < 40; step += 1) await press('Control+y')
seen.redone = JSON.stringify(await read()) === last
await press('Enter')
await page.locator('.collage-dialog').waitFor({ timeout: 5000 })
seen.focusInside = await page.evaluate(() => Boolean(document.activeElement.closest('.collage-dialog')))
await press('Tab', 'ArrowUp', 'Escape', 'Escape')
await page.waitForTimeout(500)
seen.dialogs = await page.locator('.collage-dialog').count()
seen.focusBack = await page.evaluate(() => document.activeElement.matches('.collage-keys'))
await page.screenshot({ path: picture })
seen.errors = editor.errors
seen.foreign = editor.foreign
export default seen

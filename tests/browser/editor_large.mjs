// The large view over the page: what the page asks and says lies above it, and keys stay where they belong.
// Given: <server url> <picture.png> <classic|nodes2> <folder of mug, lemon and table>
import { keepSeen, openEditor } from './editor.mjs'

const [url, picture, look, folder] = process.argv.slice(2)
const editor = await openEditor(url, look)
const { page, at, drop, layers, focus, read } = editor
const seen = keepSeen()
const shot = (name) => page.screenshot({ path: picture.replace('.png', `_${name}.png`) })
const large = () => page.locator('.collage-dialog').count()
const nodes = () => page.evaluate(() => window.app.graph.nodes.length)
/** Whether nothing lies over the middle of an element. */
const uncovered = (locator) =>
  locator.evaluate((element) => {
    const { x, y, width, height } = element.getBoundingClientRect()
    return element.contains(document.elementFromPoint(x + width / 2, y + height / 2))
  })
/** Puts nodes into the graph, each linked to the one before it: [type, {widget: value}]. */
const add = (chain) =>
  page.evaluate((chain) => {
    const { app, LiteGraph } = window
    const made = chain.map(([type, values], index) => {
      const node = LiteGraph.createNode(type)
      node.pos = [1300, 500 + 200 * index]
      app.graph.add(node)
      for (const [name, value] of Object.entries(values))
        node.widgets.find((widget) => widget.name === name).value = value
      return node
    })
    made.slice(1).forEach((node, index) => made[index].connect(0, node, 0))
    return made.map(({ id }) => id)
  }, chain)
const remove = (ids) =>
  page.evaluate((ids) => ids.forEach((id) => window.app.graph.remove(window.app.graph.getNodeById(id))), ids)
/** Queues with the keys of the page, and waits for what the view says of it. */
const refused = async (words) => {
  await page.keyboard.press('Control+Enter')
  const notice = page.locator('.collage-dialog .collage-notice').filter({ hasText: words })
  await notice.waitFor({ timeout: 60000 })
  return notice.innerText()
}

await drop([`${folder}/mug.png`, `${folder}/lemon.png`], await at(256, 256))
await layers(2)
await focus()
await page.keyboard.press('Enter')
await page.locator('.collage-dialog').waitFor({ timeout: 60000 })

// the page asks for a name: above the view, and what is typed goes there
await page.keyboard.press('Control+s')
const name = page.locator('[role="dialog"] input:visible').last()
await name.waitFor({ timeout: 60000 })
await page.waitForTimeout(500)
seen.asked = { uncovered: await uncovered(name) }
await shot('asked')
await page.keyboard.type('cat')
seen.asked.typed = await name.inputValue()
await page.keyboard.press('Escape')
await name.waitFor({ state: 'detached', timeout: 60000 })
seen.asked.large = await large()
seen.asked.layers = (await read()).layers.length

// what had the focus is gone: the next key is the view's, not the page's behind it
await page.evaluate(() => {
  window.app.canvas.selectNode(window.app.graph.nodes[1])
  document.activeElement.blur()
})
await page.keyboard.press('Control+a')
await page.keyboard.press('Delete')
seen.keys = { layers: (await read()).layers.length, nodes: await nodes() }
await page.keyboard.press('Control+z')
await layers(2)

// Tab goes round in the view
const outside = []
for (let step = 0; step < 60; step += 1) {
  await page.keyboard.press('Tab')
  outside.push(await page.evaluate(() => {
    const { activeElement: one, body } = document
    return one === body || one.closest('.collage-dialog') ? '' : one.outerHTML.slice(0, 80)
  }))
}
seen.outside = outside.filter(Boolean)

// a run that is refused, and one that fails
await page.evaluate(() => document.querySelector('.collage-dialog .collage-keys').focus())
const without = await add([['VAEDecode', {}], ['PreviewImage', {}]])
seen.refused = await refused('refused')
await shot('refused')
await remove(without)
await add([['RegexReplace', { string: 'a', regex_pattern: '[', replace: 'b' }], ['PreviewAny', {}]])
seen.failed = await refused('failed')
await page.waitForTimeout(9000) // other notices are gone by then
seen.stays = await page.locator('.collage-dialog .collage-notice:visible').count()

// a notice of the page
await page.evaluate(() =>
  window.app.extensionManager.toast.add({ severity: 'error', summary: 'a notice', life: 60000 }))
const toast = page.getByText('a notice').last()
await toast.waitFor({ timeout: 60000 })
await page.waitForTimeout(500)
seen.toast = await uncovered(toast)
await shot('toast')

await page.keyboard.press('Escape')
await page.keyboard.press('Escape')
await page.locator('.collage-dialog').waitFor({ state: 'detached', timeout: 60000 })
seen.left = await page.evaluate(() => ({
  inert: document.querySelectorAll('body > [inert]').length,
  shades: document.querySelectorAll('.collage-shade').length,
  focus: document.activeElement.className,
}))
seen.errors = editor.errors
seen.foreign = editor.foreign
export default seen

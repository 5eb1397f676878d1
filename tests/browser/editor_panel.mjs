// Everything around the canvas of a Collage Editor on ComfyUI's page: by keyboard, by mouse, as it looks.
// Given: <server url> <picture.png> <classic|nodes2> <language> <palette> <folder with pictures>
import { readFileSync } from 'node:fs'
import { keepSeen, lookAt, openEditor } from './editor.mjs'
import { contrasts, gap, overflows } from './looks.mjs'

const [url, picture, look, language, palette, folder] = process.argv.slice(2)
const layer = (id, name, text, more = {}) => ({
  id,
  text,
  picture: `panel/${name}`,
  size: [600, 600],
  fit: 'contain',
  scale: 0.4,
  ...more,
})
const START = {
  version: 1,
  width: 512,
  height: 512,
  prompt: 'a blue mug and a lemon on a wooden table, morning light',
  layers: [
    layer('tabl', 'table.jpg', 'wooden table', { fit: 'cover', scale: 1 }),
    layer('mugg', 'mug.png', 'a blue mug', { x: 0.35, noise: 0.3 }),
    layer('lemo', 'lemon.png', 'a lemon', { x: 0.7, y: 0.6, scale: 0.3 }),
  ],
}
for (const name of ['table.jpg', 'mug.png', 'lemon.png']) {
  const form = new FormData()
  form.append('image', new File([readFileSync(`${folder}/${name}`)], name))
  form.append('subfolder', 'panel')
  form.append('overwrite', 'true')
  await fetch(`${url}/upload/image`, { method: 'POST', body: form })
}
const settings = { 'Comfy.Locale': language, 'Comfy.ColorPalette': palette }
const opened = await openEditor(url, look, { document: JSON.stringify(START), language, settings })
const { page, editor, errors, foreign, read } = opened
const seen = keepSeen()
const shot = (name) => page.screenshot({ path: picture.replace('.png', `_${name}.png`), timeout: 120000 })
const part = (selector) => editor.locator(selector)
const press = async (...keys) => {
  for (const key of keys) await page.keyboard.press(key)
}
const focused = () =>
  page.evaluate(() => {
    const { activeElement: at } = document
    return at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.tagName
  })
const chosen = () =>
  part('.collage-row.collage-chosen').evaluateAll((rows) => rows.map((row) => row.dataset.layer))
const said = () => part('.collage-live').textContent()
const shown = async () => ({
  prompt: (await read()).prompt,
  words: (await read()).layers.map((one) => one.text),
})
const chips = () => part('.collage-chip').evaluateAll((all) => all.map((chip) => chip.textContent))

/** Tab until what is focused matches; -> the stops on the way. */
async function tabTo(selector, key = 'Tab') {
  const stops = []
  for (let i = 0; i < 60; i += 1) {
    await press(key)
    stops.push(await focused())
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return stops
  }
  throw new Error(`Tab never comes to ${selector}: ${stops.join(' | ')}`)
}

await part('.collage-row').nth(2).waitFor()
await page.waitForTimeout(1200)
seen.options = await part('[role=option]').evaluateAll((all) =>
  all.map((one) => one.getAttribute('aria-label')),
)
seen.chips = await chips()
seen.message = await part('.collage-message').textContent()
await shot('start')

// by keyboard alone: a layer is chosen in the list, renamed, moved up; the sentence follows
await page.evaluate(() => {
  window.panelNode = window.app.graph.nodes[0]
})
await part('.collage-sentence').focus()
await tabTo('.collage-row-input', 'Shift+Tab')
await press('ArrowDown')
seen.arrow = [await chosen(), await focused(), await said()]
await press('F2')
await page.keyboard.type('a red cup')
await press('Enter')
seen.renamed = await shown()
seen.back = await focused()
await press('Alt+ArrowUp')
seen.order = (await read()).layers.map((one) => one.id)
await press('Control+z', 'Control+z')
await page.waitForTimeout(300)
seen.undone = { ...(await shown()), order: (await read()).layers.map((one) => one.id) }
seen.sameNode = await page.evaluate(() => window.panelNode === window.app.graph.nodes[0])
seen.stillThere = await focused()
await press('h')
seen.hidden = (await read()).layers.find((one) => one.id === 'mugg').visible
seen.chipsWithout = await chips()
await press('h')

// settings by keyboard: a step of the slider, an exact number, for two layers at once
await press('Shift+ArrowDown')
seen.two = await chosen()
await tabTo('.collage-range')
await press('ArrowRight', 'ArrowRight')
seen.noise = (await read()).layers.map((one) => one.noise)
await press('Tab')
await page.keyboard.type('0,75')
await press('Enter')
seen.exact = (await read()).layers.map((one) => one.noise)
// the embeddings, which Tab asked for on its way over the looks, arrive while words are typed
let answer
const asked = new Promise((resolve) => (answer = resolve))
await page.route('**/embeddings', async (route) => {
  await asked
  await route.continue()
})
const arrived = page.waitForResponse('**/embeddings')
await tabTo('.collage-field-words input')
await page.keyboard.type('strip')
answer()
await arrived
await page.waitForTimeout(200)
await page.keyboard.type('ed')
await press('Enter')
await page.unroute('**/embeddings')
seen.negatives = (await read()).layers.map((one) => one.negative)
await shot('two')

// the sentence: free text, a word inside a chip, composed text, the browser's own undo
await tabTo('.collage-sentence')
await press('Control+End')
await page.keyboard.type(', soft shadows')
seen.drafted = [(await read()).prompt, await chips()]
await press('Enter')
seen.typed = (await read()).prompt
await part('.collage-sentence').evaluate((field) => field.setSelectionRange(6, 6))
await press('Shift+ArrowLeft', 'Shift+ArrowLeft', 'Shift+ArrowLeft', 'Shift+ArrowLeft')
await page.keyboard.type('green')
await press('Enter')
seen.inside = await shown()
await page.keyboard.type('x')
await press('Control+z')
seen.nativeUndo = await part('.collage-sentence').inputValue()
const cdp = await page.context().newCDPSession(page)
await press('Control+End')
for (const text of ['w', 'wa', 'wan']) {
  await cdp.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })
}
seen.composing = (await part('.collage-sentence').inputValue()).endsWith('wan')
await cdp.send('Input.insertText', { text: '\u665a\u971e' })
await press('Enter')
seen.composed = (await read()).prompt
await press('Control+a')
await page.keyboard.insertText('a lemon')
await press('Enter')
seen.pasted = { ...(await shown()), message: await part('.collage-message').textContent() }
await shot('missing')

// what is wrong is mended from the line of messages, which keeps the focus when it is shown anew
await tabTo('.collage-mend input')
await page.evaluate(() => {
  const widget = window.panelNode.widgets.find((one) => one.name === 'document')
  const document = JSON.parse(widget.value)
  document.layers[0].noise = 0.5
  widget.value = JSON.stringify(document)
})
seen.held = [await focused(), await part('.collage-mend input').getAttribute('aria-label')]
await press('Enter', 'Enter')
seen.mended = (await read()).prompt

// mouse: order by dragging under a zoomed graph, words in place, eye, a chip chooses its layer
await lookAt(page, 0.8)
const middle = async (id) => {
  const { x, y, width, height } = await part(`[data-layer=${id}]`).boundingBox()
  return [x + width / 2, y + height / 2]
}
await opened.drag(await middle('tabl'), await middle('lemo').then(([x, y]) => [x, y - 8]))
seen.dragged = (await read()).layers.map((one) => one.id)
await lookAt(page, 1)
await part('[data-layer=lemo] .collage-row-input').dblclick()
await page.keyboard.type('two limes')
await part('.collage-heading').first().click()
seen.inPlace = await shown()
await part('[data-layer=lemo]').hover()
await part('[data-layer=lemo] .collage-row-eye input').click()
seen.eye = (await read()).layers.find((one) => one.id === 'lemo').visible
await part('[data-layer=lemo] .collage-row-eye input').click()
await part('.collage-sentence').click({ position: { x: 30, y: 16 } })
seen.clickedChip = await chosen()

// overlays with their legend
for (const index of [1, 2]) {
  await part('.collage-segments input').nth(index).click()
  await page.waitForTimeout(400)
  seen[`legend${index}`] = await part('.collage-legend').innerText()
  const [legend, canvas] = [await part('.collage-legend').boundingBox(), await part('.collage-canvas').boundingBox()]
  seen.margin = canvas.y + canvas.height - legend.y
  await shot(`overlay${index}`)
}
await part('.collage-segments input').first().click()
seen.legendGone = await part('.collage-legend').isHidden()

// the smallest node, and the large view
const size = (side) => page.evaluate((side) => window.app.graph.nodes[0].setSize(side), side)
await size([520, 620])
await page.waitForTimeout(600)
seen.gaps = [await gap(editor)]
seen.contrasts = await contrasts(editor)
seen.overflows = await overflows(editor)
await shot('narrow')
await size([900, 860])
await part('.collage-toolbar .collage-icon-large').locator('..').locator('input').click()
const large = page.locator('.collage-dialog .collage-editor')
await large.waitFor()
await page.waitForTimeout(1000)
seen.gaps.push(await gap(large))
seen.contrasts.push(...(await contrasts(large)))
seen.overflows.push(...(await overflows(large)))
await shot('large')
await large.locator('.collage-icon-small').locator('..').locator('input').click()
await large.waitFor({ state: 'detached' })
await page.waitForTimeout(600)
seen.gaps.push(await gap(editor))

// a canvas that the layout leaves no height draws nothing
const height = (value) =>
  part('.collage-canvas').evaluate((one, value) => {
    one.style.cssText = value
    return one.clientHeight
  }, value)
seen.flat = await height('height: 0; min-height: 0; flex: none')
await page.waitForTimeout(300)
await height('')
await page.waitForTimeout(300)

// nothing chosen: the canvas; then nothing at all
await part('.collage-toolbar .collage-icon-canvas').locator('..').locator('input').click()
const [width] = await part('.collage-canvas-fields .collage-number').all()
await width.fill('700')
await press('Enter')
seen.width = (await read()).width
seen.contrasts.push(...(await contrasts(editor)))
seen.overflows.push(...(await overflows(editor)))
await shot('canvas')
await part('[data-layer=mugg] .collage-row-input').click()
seen.contrasts.push(...(await contrasts(editor)))
seen.overflows.push(...(await overflows(editor)))
await part('[data-layer=tabl]').hover()
await page.waitForTimeout(700)
seen.tip = await part('.collage-tooltip').innerText()
await shot('tip')
await part('.collage-row-input').first().focus()
await press('Control+a', 'Delete')
await page.waitForTimeout(300)
seen.empty = [(await read()).layers.length, await part('.collage-welcome').innerText()]
seen.contrasts.push(...(await contrasts(editor)))
await shot('empty')
export default { ...seen, errors, foreign }

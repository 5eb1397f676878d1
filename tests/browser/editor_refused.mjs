// What an editor does not take: texts that are too long, more layers than it holds. It says so, and nothing is lost.
// Given: <server url> <picture.png> <classic|nodes2>
import { fill } from './discs.mjs'
import { keepSeen, openEditor } from './editor.mjs'

const [url, picture, look] = process.argv.slice(2)
const editor = await openEditor(url, look)
const { page, at, drag, read, focus, exact } = editor
const seen = keepSeen()
const notice = page.locator('.collage-notice:visible').first()
/** What the notice says, which then is put away. */
const said = async () => {
  await notice.waitFor({ timeout: 30000 })
  const words = await notice.innerText()
  await notice.click()
  return words
}
const chosen = () =>
  page.evaluate(() => document.querySelector('.collage-canvas').collage.context.model.chosen.length)

// a sentence that is too long stays out of its field, whole, and what was there stays
await fill(page, 2, 512)
const { prompt } = await read()
const sentence = page.locator('.collage-sentence:visible').first()
await sentence.click()
await page.keyboard.press('End')
await page.keyboard.insertText(`, ${'word '.repeat(2100)}`)
seen.long = await said()
await page.keyboard.insertText(', a disc more')
await page.keyboard.press('Enter')
seen.sentence = (await read()).prompt === `${prompt}, a disc more`
await page.locator('.collage-row-input:visible').first().focus()
await page.keyboard.press('F2')
await page.keyboard.insertText('b'.repeat(10001))
seen.words = await said()
await page.keyboard.press('Escape')

// a step after which the document could not be read is not made
await fill(page, 64, 512)
await exact()
const full = JSON.stringify(await read())
seen.made = await page.evaluate(() => {
  const { context } = document.querySelector('.collage-canvas').collage
  return context.edit('negative', (document) => ({
    ...document,
    layers: document.layers.map((layer) => ({ ...layer, negative: 'b'.repeat(9000) })),
  }))
})
seen.large = await said()
await page.screenshot({ path: picture })

// copies do not come into a collage that is full, and the choice stays
await page.evaluate(() => {
  const { model } = document.querySelector('.collage-canvas').collage.context
  model.choose([model.document.layers.at(-1).id])
})
await focus()
await page.keyboard.press('Control+d')
seen.duplicate = [await said(), await chosen()]
await focus()
await page.keyboard.press('Control+c')
await page.keyboard.press('Control+v')
seen.paste = [await said(), await chosen()]
const { x, y } = (await read()).layers.at(-1)
const [from, to] = [await at(x * 512, y * 512), await at(x * 512 + 40, y * 512)]
await drag(from, to, { hold: 'Alt' })
seen.drag = [await said(), await chosen()]
seen.kept = JSON.stringify(await read()) === full
seen.errors = editor.errors
seen.foreign = editor.foreign
export default seen

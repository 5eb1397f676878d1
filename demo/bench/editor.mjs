// What dragging on the canvas costs, in a real browser.
// node editor.mjs <server url> <classic|nodes2> <repetitions> <seconds of each drag>; prints one JSON object.
import { dragged, fill } from '../../tests/browser/discs.mjs'
import { openEditor } from '../../tests/browser/editor.mjs'

const [url, look, repetitions, seconds] = process.argv.slice(2)
const editor = await openEditor(url, look)
const seen = {}
for (const [count, side] of [[6, 512], [20, 1024]]) {
  await fill(editor.page, count, side)
  await editor.exact()
  await dragged(editor, 0.5) // fills caches
  const drags = (seen[`${count} layers at ${side}`] = [])
  for (let i = 0; i < Number(repetitions); i += 1) drags.push(await dragged(editor, Number(seconds)))
}
console.log(JSON.stringify({ seen, browser: editor.browser.version() }))
await editor.browser.close()

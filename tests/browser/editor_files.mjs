// Files on ComfyUI's page: a PSD is dropped, the collage saved, changed, and its file dropped again.
// Given: <server url> <picture.png> <classic|nodes2> <file.psd> <folder for what is saved>
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { keepSeen, openEditor } from './editor.mjs'

const [url, picture, look, psd, folder] = process.argv.slice(2)
const editor = await openEditor(url, look)
const { page, read, run, text } = editor

async function drop(path, name = basename(path)) {
  const data = readFileSync(path).toString('base64')
  await page.evaluate(
    ([data, name]) => {
      const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0))
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([bytes], name))
      const canvas = document.querySelector('.collage-canvas')
      const { left, top } = canvas.getBoundingClientRect()
      const options = { bubbles: true, cancelable: true, dataTransfer, clientX: left + 50, clientY: top + 50 }
      canvas.dispatchEvent(new DragEvent('dragover', options))
      canvas.dispatchEvent(new DragEvent('drop', options))
    },
    [data, name],
  )
}
const until = (change) =>
  page.waitForFunction(
    (before) => {
      const { widgets } = window.app.graph.nodes.find((one) => one.comfyClass === 'CollageEditor')
      return widgets[0].value !== before
    },
    change,
    { timeout: 60000 },
  )
const notice = () => page.locator('.collage-notice:visible').first().textContent()
const save = async (name) => {
  const waits = page.waitForEvent('download', { timeout: 60000 })
  await page.locator(`.collage-toolbar:visible input[aria-label="${name}"]`).click()
  const got = await waits
  await got.saveAs(`${folder}/${got.suggestedFilename()}`)
  return got.suggestedFilename()
}

const seen = keepSeen()
let before = await text()
await drop(psd)
await until(before)
await page.waitForTimeout(1500)
await page.screenshot({ path: picture })
seen.opened = { document: await read(), said: await notice() }
seen.saved = [await save('Save'), await save('Save as PSD')]
seen.ran = await run()
const results = () => document.querySelector('.collage-canvas').collage.context.host.results.list().length
await page.waitForFunction(results, null, { timeout: 60000 })
seen.finished = await save('Save as PSD')
await page.waitForTimeout(300)
seen.finishedSaid = await notice()
const kept = await text()
await page.locator('.collage-toolbar:visible input[aria-label^="Undo"]').click()
await page.waitForTimeout(300)
seen.undone = (await text()) === before
before = await text()
await drop(`${folder}/${seen.saved[0]}`, 'from a friend.collage.zip')
await until(before)
seen.same = (await text()) === kept
await drop(psd, 'broken.collage.zip')
await page.waitForFunction(() => {
  const shown = document.querySelector('.collage-notice:not([hidden])')
  return shown?.textContent.includes('cannot be opened')
})
seen.refused = await notice()
await page.waitForTimeout(1500)
seen.toasts = await page.locator('.p-toast-message').count()
seen.overflow = await page.locator('.collage-notice:visible').first().evaluate((one) => one.scrollWidth - one.clientWidth)
await page.screenshot({ path: picture.replace('.png', '_refused.png') })
seen.kept = (await text()) === kept

// a save that waits for a run, and is taken out of the queue
const post = (path, body) =>
  page.evaluate(async ([path, body]) => {
    const answer = await window.app.api.fetchApi(path, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    })
    return answer.status
  }, [path, body])
const says = (words) =>
  page.waitForFunction(
    (words) => document.querySelector('.collage-notice:not([hidden])')?.textContent.includes(words),
    words,
    { timeout: 60000 },
  )
// many short nodes, as a node that has begun is not interrupted
const prompt = { 0: { class_type: 'EmptyImage', inputs: { width: 512, height: 512, batch_size: 1, color: 0 } } }
for (let node = 1; node <= 300; node += 1) {
  const inputs = { image: [`${node - 1}`, 0], blur_radius: 31, sigma: 10 }
  prompt[node] = { class_type: 'ImageBlur', inputs }
}
prompt.end = { class_type: 'PreviewImage', inputs: { images: ['300', 0] } }
await post('/prompt', { prompt })
await page.waitForTimeout(500)
await page.locator('.collage-toolbar:visible input[aria-label="Save"]').click()
await says('Waits for the run')
await page.waitForTimeout(9000) // longer than other notices stay
seen.waits = await notice()
await post('/queue', { clear: true })
await says('taken out of the queue')
seen.cleared = await notice()
await post('/interrupt', {})
seen.again = await save('Save')
export default { ...seen, errors: editor.errors, foreign: editor.foreign }

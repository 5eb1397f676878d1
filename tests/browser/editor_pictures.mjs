// Loads pictures by the editor's own modules on ComfyUI's page, and composes collages in its worker.
// Given: <server url> <picture.png> <folder>.
// folder: files.json names pictures below it, cases.json documents (see tests/editor/exact_cases.py).
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { openPage } from './browser.mjs'

const [url, , folder] = process.argv.slice(2)
const json = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'))
const errors = []
const { page } = await openPage(url, {
  watch: (page) => {
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (said) => {
      if (/collage|worker|webgl/i.test(said.text()) && said.type() === 'error') errors.push(said.text())
    })
  },
})

const files = json('files.json')
for (const name of files) {
  const form = new FormData()
  form.append('image', new File([readFileSync(join(folder, name))], basename(name)))
  form.append('subfolder', dirname(name))
  form.append('overwrite', 'true')
  const answer = await fetch(`${url}/upload/image`, { method: 'POST', body: form })
  if (!answer.ok) throw new Error(`${name} was refused with status ${answer.status}`)
}

await page.evaluate(async () => {
  const [extension] = (await (await fetch('/extensions')).json()).filter((one) => one.endsWith('/errors.js'))
  const module = (name) => import(extension.replace('errors.js', `editor/${name}.mjs`))
  const { createPictures } = await module('pictures')
  const { createCompositor } = await module('compositor')
  const viewUrl = (name) => {
    const parts = name.split('/')
    const query = new URLSearchParams({ filename: parts.pop(), subfolder: parts.join('/'), type: 'input' })
    return `/view?${query}`
  }
  const pictures = createPictures(viewUrl)
  Object.assign(window, { module, pictures, compositor: createCompositor(pictures) })
})

const seen = {}
for (const name of files) {
  seen[name] = await page.evaluate(async (name) => {
    const { sha256 } = await window.module('sha256')
    const picture = await window.pictures.load(name).catch(() => window.pictures.get(name))
    if (picture.state !== 'ready') return { state: picture.state, reason: picture.reason }
    const { width, height, data, exact } = await picture.bytes()
    const { encodePng } = await window.module('png')
    const small = picture.thumbnail(64)
    const again = width * height < 2 ** 18 ? await encodePng({ width, height, data }) : null
    return {
      state: 'ready', width, height, exact, hash: sha256(data), small: [small.width, small.height],
      png: again && [...new Uint8Array(await again.arrayBuffer())],
    }
  }, name)
}

for (const name of json('cases.json')) {
  const found = await page.evaluate(async (document) => {
    const { read } = await window.module('document')
    const { document: wanted } = read(document)
    const names = new Set([...wanted.layers.map((layer) => layer.picture), wanted.background_picture])
    await Promise.all([...names].filter(Boolean).map((one) => window.pictures.load(one)))
    const first = await window.compositor.request(wanted)
    return { pixels: [...first.pixels] }
  }, readFileSync(join(folder, `${name}.json`), 'utf8'))
  writeFileSync(join(folder, `${name}.page`), Uint8Array.from(found.pixels))
}
export default { errors, seen }

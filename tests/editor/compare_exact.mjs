// node compare_exact.mjs FOLDER: how far exact.mjs is from the cases that exact_cases.py wrote there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { read } from '../../web/editor/document.mjs'
import { composeDocument } from '../../web/editor/edited.mjs'
import { finished } from './fixtures.mjs'
import { decodePng } from './png_file.mjs'

const folder = process.argv[2]
const file = (name) => readFileSync(join(folder, name))

const pictures = new Map()
function find(name) {
  if (!pictures.has(name)) pictures.set(name, { ...decodePng(file(name)), kept: new Map() })
  return pictures.get(name)
}


const worst = (found, wanted) => found.reduce((most, one, i) => Math.max(most, Math.abs(one - wanted[i])), 0)

const said = JSON.parse(file('cases.json')).map((name) => {
  const { document, problems } = read(file(`${name}.json`).toString())
  const started = performance.now()
  const { pixels, visible } = finished(composeDocument(document, find))
  const time = performance.now() - started
  const masks = document.layers.filter((layer) => layer.visible).map((layer) => {
    const wanted = decodePng(file(`${name}.${layer.id}.png`)).data.filter((_, i) => i % 4 === 0)
    return worst(visible[layer.id], wanted)
  })
  const image = worst(pixels, decodePng(file(`${name}.png`)).data)
  return { name, problems, image, visible: Math.max(0, ...masks), time: Math.round(time) }
})
console.log(JSON.stringify(said))

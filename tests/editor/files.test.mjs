import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { stored } from '../../web/editor/adding.mjs'
import { lookAt, reasonOf } from '../../web/editor/picture_file.mjs'
import { createPictures } from '../../web/editor/pictures.mjs'
import { encodePng } from '../../web/editor/png.mjs'
import { sha256, sha256Soon } from '../../web/editor/sha256.mjs'
import en from '../../web/editor/text/en.mjs'
import { random } from './fixtures.mjs'
import { decodePng } from './png_file.mjs'

const next = random(11)
const noise = (length) => Uint8Array.from({ length }, () => 256 * next())

test('hashes are those of everybody else', async () => {
  for (const length of [0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 1000]) {
    const bytes = noise(length)
    const wanted = createHash('sha256').update(bytes).digest('hex')
    assert.equal(sha256(bytes), wanted)
    assert.equal(await sha256Soon(bytes), wanted)
  }
  const inside = noise(200)
  assert.equal(sha256(inside.subarray(7, 90)), sha256(inside.slice(7, 90)))
})

test('a written PNG holds every byte, colour under alpha 0 too', async () => {
  for (const [width, height] of [[1, 1], [3, 200], [130, 65]]) {
    const data = noise(4 * width * height)
    data.fill(7, 0, Math.floor(data.length / 3)) // rows for each filter
    const bytes = new Uint8Array(await (await encodePng({ width, height, data })).arrayBuffer())
    assert.deepEqual(decodePng(bytes), { width, height, data })
    assert.deepEqual(lookAt(bytes), { extension: 'png', width, height })
  }
})

test('a flat picture makes a small file', async () => {
  const data = new Uint8Array(4 * 500 * 500).fill(200)
  assert.ok((await encodePng({ width: 500, height: 500, data })).size < 5000)
})

const bytesOf = (text) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const FILES = [
  ['jpg', 300, 200, 'ffd8 ffe0 0004 0000 ff ffc4 0003 00 ffc2 0011 08 00c8 012c 03'],
  ['webp', 400, 300, '52494646 00000000 57454250 56503858 0a000000 00000000 8f0100 2b0100'],
  ['webp', 400, 300, '52494646 00000000 57454250 5650384c 00000000 2f 8fc14a00'],
  ['webp', 400, 300, '52494646 00000000 57454250 56503820 00000000 000000 9d012a 9001 2c01'],
]

test('kind and size are read from the first bytes', () => {
  for (const [extension, width, height, text] of FILES) {
    assert.deepEqual(lookAt(bytesOf(text)), { extension, width, height })
  }
})

test('other files, and files that end too early, are no pictures', () => {
  assert.equal(lookAt(Uint8Array.from(Buffer.from('GIF89a and so on, and so on'))), null)
  for (const [, , , text] of FILES) {
    const bytes = bytesOf(text)
    for (let length = 0; length < bytes.length - 2; length += 1) {
      assert.equal(lookAt(bytes.subarray(0, length)), null)
    }
  }
  for (let i = 0; i < 2000; i += 1) {
    const bytes = bytesOf(FILES[i % 4][3])
    bytes[Math.floor(next() * bytes.length)] = 256 * next()
    lookAt(bytes)
  }
})

/** A PNG as far as its size; more of it is not looked at here. */
function headerOf(width, height) {
  const bytes = new Uint8Array(64)
  bytes.set(bytesOf('89504e47 0d0a1a0a 0000000d 49484452'))
  new DataView(bytes.buffer).setUint32(16, width)
  new DataView(bytes.buffer).setUint32(20, height)
  return bytes
}
const LARGE = headerOf(8000, 5000) // 40 megapixels
const TOO_LARGE = headerOf(8193, 8192)
const HASH = createHash('sha256').update(LARGE).digest('hex')

test('a picture says why it is none, in words of its own', async (t) => {
  const files = {
    'a.png': LARGE, [`collage/${HASH}.png`]: LARGE, 'big.png': TOO_LARGE, 'text.png': noise(40),
    [`collage/${'0'.repeat(64)}.png`]: LARGE, 'cut.png': headerOf(7, 7),
  }
  const before = [globalThis.fetch, globalThis.createImageBitmap]
  t.after(() => { [globalThis.fetch, globalThis.createImageBitmap] = before })
  globalThis.fetch = async (name) => new Response(files[name], { status: files[name] ? 200 : 404 })
  globalThis.createImageBitmap = async (blob) => {
    const { width, height } = lookAt(new Uint8Array(await blob.arrayBuffer()))
    if (width === 7) throw new DOMException('The source image could not be decoded.')
    return { width, height, close() {} }
  }
  const pictures = createPictures((name) => name)
  const reason = (name) => pictures.load(name).then(
    (picture) => picture.width,
    (error) => reasonOf((key) => en[key], error),
  )
  const names = [...Object.keys(files), 'gone.png']
  assert.deepEqual(await Promise.all(names.map(reason)), [
    8000, 8000, en['picture.size'], en['picture.kind'], en['picture.hash'], en['picture.damaged'],
    en['picture.missing'],
  ])
  const drop = (bytes) => stored(new File([bytes], 'any.png')).then((one) => one.extension, (error) => error.reason)
  assert.deepEqual(await Promise.all([LARGE, TOO_LARGE].map(drop)), ['png', 'size'])
  globalThis.createImageBitmap = () => Promise.reject(new DOMException('no picture'))
  assert.equal(await drop(noise(40)), 'kind')
})

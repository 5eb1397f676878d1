// The bytes of a picture as Pillow reads them: straight RGBA, which a 2D canvas would premultiply.

const EXACT = { premultiplyAlpha: 'none', colorSpaceConversion: 'none' }
const LARGEST_TILE = 4096 // pixels a side; above MAX_TEXTURE_SIZE a texture holds zeros without an error

let shared = null // a WebGL2 context, its texture and its largest tile

/**
 * @param {Blob} blob of a PNG, JPEG or WebP
 * @returns {Promise<{width: number, height: number, data: Uint8Array, exact: boolean}>} `exact` is
 *   false without WebGL2, where half transparent colours are a little off
 */
export async function decode(blob) {
  const bitmap = await createImageBitmap(blob, EXACT)
  try {
    const data = byTexture(bitmap)
    const { width, height } = bitmap
    return { width, height, data: data ?? readAll(bitmap, LARGEST_TILE, readCanvas), exact: data !== null }
  } finally {
    bitmap.close()
  }
}

/** null without WebGL2, and where the GPU has failed. */
function byTexture(bitmap) {
  const tools = reader()
  if (!tools) return null
  const data = readAll(bitmap, tools.largest, (one, tile) => readTexture(tools.gl, one, tile))
  if (!tools.gl.getError() && !tools.gl.isContextLost()) return data
  shared = null
  return null
}

function readAll(bitmap, side, read) {
  const { width, height } = bitmap
  const data = new Uint8Array(4 * width * height)
  for (const tile of tiles(width, height, side)) put(data, width, tile, read(bitmap, tile))
  return data
}

function* tiles(width, height, side) {
  for (let top = 0; top < height; top += side) {
    for (let left = 0; left < width; left += side) {
      yield { top, left, width: Math.min(side, width - left), height: Math.min(side, height - top) }
    }
  }
}

function put(data, line, { top, left, width, height }, pixels) {
  if (width === line) return data.set(pixels, 4 * top * line)
  for (let y = 0; y < height; y += 1) {
    data.set(pixels.subarray(4 * y * width, 4 * (y + 1) * width), 4 * ((top + y) * line + left))
  }
}

function reader() {
  if (shared) return shared
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2')
  if (!gl) return null
  const texture = gl.createTexture()
  gl.bindTexture(gl.TEXTURE_2D, texture)
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer())
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0)
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false)
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE)
  shared = { gl, largest: Math.min(LARGEST_TILE, gl.getParameter(gl.MAX_TEXTURE_SIZE)) }
  return shared
}

function readTexture(gl, bitmap, { top, left, width, height }) {
  gl.pixelStorei(gl.UNPACK_SKIP_ROWS, top)
  gl.pixelStorei(gl.UNPACK_SKIP_PIXELS, left)
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, bitmap)
  const pixels = new Uint8Array(4 * width * height)
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels)
  return pixels
}

function readCanvas(bitmap, { top, left, width, height }) {
  const canvas = new OffscreenCanvas(width, height)
  const g = canvas.getContext('2d', { willReadFrequently: true })
  g.drawImage(bitmap, -left, -top)
  return g.getImageData(0, 0, width, height).data
}

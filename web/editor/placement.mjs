// Where a layer lies on the canvas: collage_core/collage/placement.py for the page.

const UNKNOWN_SIZE = [256, 256] // of a picture that has not arrived and of which the document says nothing

/** [height, width] of the upright box around a rectangle turned by degrees; exact for quarter turns. */
export function turnedSize(height, width, degrees) {
  const half = ((degrees % 180) + 180) % 180
  const [tall, wide] = half >= 90 ? [width, height] : [height, width]
  const rest = ((half % 90) * Math.PI) / 180
  const [cos, sin] = [Math.cos(rest), Math.sin(rest)]
  return [sin * wide + cos * tall, cos * wide + sin * tall]
}

/** Canvas pixels per pixel of the layer's picture, which has this size [width, height]. */
export function scaleOf(document, layer, [width, height]) {
  if (layer.fit === 'pixels') return layer.scale
  if (layer.fit === 'contain') {
    const [tall, wide] = turnedSize(height, width, layer.rotation)
    return layer.scale * Math.min(document.height / tall, document.width / wide)
  }
  // it covers the canvas if the canvas, turned the other way, fits into it
  const [tall, wide] = turnedSize(document.height, document.width, layer.rotation)
  return layer.scale * Math.max(tall / height, wide / width)
}

/** [width, height] of a layer's picture; what the document says of it until it is there. */
export const sizeOf = (layer, picture) =>
  picture?.state === 'ready' ? [picture.width, picture.height] : (layer.size ?? UNKNOWN_SIZE)

/** [-1 or 1 across, -1 or 1 down]. */
export const mirrored = (flip) => [
  flip === 'horizontal' || flip === 'both' ? -1 : 1,
  flip === 'vertical' || flip === 'both' ? -1 : 1,
]

/**
 * The rectangle of a layer in canvas pixels: its centre, its size before it is turned, the angle as a
 * 2D canvas takes it (clockwise), and the matrix [a, b, c, d, e, f] from pixels of the picture to
 * pixels of the canvas, with the flip.
 * @param {object} document
 * @param {object} layer
 * @param {number[]} [size] width and height of the picture
 * @returns {{cx: number, cy: number, width: number, height: number, radians: number, matrix: number[]}}
 */
export function box(document, layer, size) {
  const [width, height] = size ?? sizeOf(layer)
  const scale = scaleOf(document, layer, [width, height])
  const [cx, cy] = [layer.x * document.width, layer.y * document.height]
  const radians = (-layer.rotation * Math.PI) / 180
  const [cos, sin] = [Math.cos(radians) * scale, Math.sin(radians) * scale]
  const [across, down] = mirrored(layer.flip)
  const [a, b, c, d] = [cos * across, sin * across, -sin * down, cos * down]
  const e = cx - (a * width + c * height) / 2
  const f = cy - (b * width + d * height) / 2
  return { cx, cy, width: width * scale, height: height * scale, radians, matrix: [a, b, c, d, e, f] }
}

/** The upright rectangle around a box: {left, top, right, bottom} in canvas pixels. */
export function bounds({ cx, cy, width, height, radians }) {
  const [cos, sin] = [Math.abs(Math.cos(radians)), Math.abs(Math.sin(radians))]
  const [across, down] = [(cos * width + sin * height) / 2, (sin * width + cos * height) / 2]
  return { left: cx - across, top: cy - down, right: cx + across, bottom: cy + down }
}

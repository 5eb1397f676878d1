// What the first bytes of a file say of a picture, before anything of it is decoded.

export const MAX_PIXELS = 2 ** 26 // as in Python

/** A file that is no picture for a collage. reason: 'missing', 'hash', 'kind', 'size' or 'damaged'. */
export class WrongPicture extends Error {
  constructor(reason) {
    super(reason)
    this.reason = reason
  }
}

/** What went wrong with a file, as a user reads it. */
export const reasonOf = (text, error) =>
  error instanceof WrongPicture ? text(`picture.${error.reason}`) : (error.message ?? String(error))

/**
 * Kind and size of a PNG, JPEG or WebP, as it is stored: before its EXIF rotation. null for all else.
 * @param {Uint8Array} bytes of the whole file, or its first 64 KiB and more
 * @returns {{extension: 'png' | 'jpg' | 'webp', width: number, height: number} | null}
 */
export function lookAt(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    const found = pngSize(view) ?? webpSize(view) ?? jpegSize(view)
    return found && found.width > 0 && found.height > 0 ? found : null
  } catch (error) {
    if (error instanceof RangeError) return null // it ends too early
    throw error
  }
}

const text = (view, at, length) =>
  String.fromCharCode(...Array.from({ length }, (_, i) => view.getUint8(at + i)))

function pngSize(view) {
  if (view.getUint32(0) !== 0x89504e47 || text(view, 12, 4) !== 'IHDR') return null
  return { extension: 'png', width: view.getUint32(16), height: view.getUint32(20) }
}

function webpSize(view) {
  if (text(view, 0, 4) !== 'RIFF' || text(view, 8, 4) !== 'WEBP') return null
  const three = (at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16)
  const kind = text(view, 12, 4)
  if (kind === 'VP8X') return { extension: 'webp', width: three(24) + 1, height: three(27) + 1 }
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true)
    return { extension: 'webp', width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  }
  const side = (at) => view.getUint16(at, true) & 0x3fff
  return { extension: 'webp', width: side(26), height: side(28) }
}

function jpegSize(view) {
  if (view.getUint16(0) !== 0xffd8) return null
  for (let at = 2; ;) {
    if (view.getUint8(at) !== 0xff) return null
    const mark = view.getUint8(at + 1)
    if (mark === 0xff) at += 1 // padding
    else if (mark >= 0xc0 && mark <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(mark)) {
      return { extension: 'jpg', width: view.getUint16(at + 7), height: view.getUint16(at + 5) }
    } else at += 2 + view.getUint16(at + 2)
  }
}

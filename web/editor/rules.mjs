// What each key of a collage document may hold and the sentence that says so: the tables of
// collage_core/files/fields.py; tests/documents/fields.json holds both to each other.

export const VERSION = 1
export const MAX_LAYERS = 64
export const CELL = 8 // canvas pixels of a latent cell: sides are multiples of it
export const SIDES = Object.freeze([64, 8192])
export const LONGEST_TEXT = 10000 // characters of a prompt
const LONGEST_NAME = 255
const LONGEST_QUOTE = 120

/** Inputs of CollageLayer, name -> [smallest, largest]; LAYER_RANGES in Python. */
export const RANGES = Object.freeze({
  x: [-4, 5],
  y: [-4, 5],
  scale: [0.001, 100],
  rotation: [-360000, 360000],
  opacity: [0, 1],
  noise: [0, 1],
  attract: [0, 10],
  repel: [0, 10],
  control: [0, 2],
})
export const FEATHER = Object.freeze([0, 512]) // canvas pixels, of an edit
export const FITS = Object.freeze(['pixels', 'contain', 'cover'])
export const FLIPS = Object.freeze(['none', 'horizontal', 'vertical', 'both'])
export const BLENDS = Object.freeze([
  'normal', 'multiply', 'screen', 'overlay', 'soft light', 'darken', 'lighten', 'add',
])

// a folder never begins with a dot, so that no name leads out of the input folder
const PART = '(?!\\.)[^\\x00-\\x1f\\\\/:*?"<>|]+'
const PICTURE = new RegExp(`^(?:${PART}/)*${PART}\\.(?:png|jpe?g|webp)$`, 'iu')

/** The text in quotation marks, at most 120 characters, control characters escaped. */
export function quoted(text) {
  const signs = [...text]
  const cut = signs.length <= LONGEST_QUOTE ? signs : [...signs.slice(0, LONGEST_QUOTE - 3), '...']
  return `"${cut.join('').replace(/[^\P{C} ]|[^\P{Z} ]/gu, escaped)}"`
}

function escaped(sign) {
  const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[sign]
  const code = sign.codePointAt(0)
  const [letter, digits] = code < 0x100 ? ['x', 2] : code < 0x10000 ? ['u', 4] : ['U', 8]
  return short ?? `\\${letter}${code.toString(16).padStart(digits, '0')}`
}

/** A value of JSON in a message. */
export function shown(value) {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') return numberShown(value)
  if (value === null || typeof value === 'boolean') return String(value)
  return Array.isArray(value) ? 'a list' : 'an object'
}

/** Six digits, spelt as Python does. */
function numberShown(value) {
  if (!Number.isFinite(value)) return 'too large a number'
  const short = Number(value.toPrecision(6))
  if (Number.isInteger(short)) return String(BigInt(short))
  if (Math.abs(short) >= 1e-4) return String(short)
  return short.toExponential().replace(/-(\d)$/, '-0$1')
}

/** No longer than that, and without half characters (lone surrogates). */
const isText = (value, longest = LONGEST_TEXT) =>
  typeof value === 'string' && [...value].length <= longest && value.isWellFormed()
const isWhole = (value, [low, high]) => Number.isInteger(value) && low <= value && value <= high
const isSize = (value) =>
  Array.isArray(value) && value.length === 2 && value.every((side) => isWhole(side, [1, 2 ** 26]))
export const isPicture = (value) => isText(value, LONGEST_NAME) && PICTURE.test(value)
export const isObject = (value) =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** accepts(value), what to write instead, and the default; a key without one has to be there. */
const field = (accepts, remedy, ...rest) =>
  Object.freeze({ accepts, remedy, required: rest.length === 0, default: rest[0] })

const number = (low, high, otherwise) =>
  field((value) => typeof value === 'number' && low <= value && value <= high,
    `Enter a number from ${low} to ${high}.`, otherwise)
const ranged = (name, otherwise) => number(...RANGES[name], otherwise)
const oneOf = (choices) =>
  field((value) => choices.includes(value), `Choose one of ${choices.join(', ')}.`, choices[0])
const text = () => field((value) => isText(value), `Write a text of at most ${LONGEST_TEXT} characters.`, '')
const toggle = (otherwise) =>
  field((value) => typeof value === 'boolean', 'Write true or false.', otherwise)
const picture = (...rest) =>
  field((value) => isPicture(value) || (rest.length > 0 && value === rest[0]),
    "Name a PNG, JPEG or WEBP file of ComfyUI's input folder.", ...rest)
const side = () =>
  field((value) => isWhole(value, SIDES) && value % CELL === 0,
    `Enter a multiple of ${CELL} from ${SIDES[0]} to ${SIDES[1]}.`, 512)
const list = () => field(Array.isArray, 'Write a list.', Object.freeze([]))
const object = () => field(isObject, 'Write an object or leave it out.', null)

export const LAYER_FIELDS = Object.freeze({
  id: field((value) => typeof value === 'string' && /^[A-Za-z0-9_-]{4,12}$/.test(value),
    'Give it 4 to 12 letters, digits, - or _.'),
  picture: picture(),
  size: field((value) => value === null || isSize(value),
    'Write width and height in pixels, such as [900, 700].', null),
  text: text(),
  negative: text(),
  x: ranged('x', 0.5),
  y: ranged('y', 0.5),
  scale: ranged('scale', 1),
  fit: oneOf(FITS),
  rotation: ranged('rotation', 0),
  flip: oneOf(FLIPS),
  blend: oneOf(BLENDS),
  opacity: ranged('opacity', 1),
  visible: toggle(true),
  noise: ranged('noise', 0.6),
  attract: ranged('attract', 0.3),
  repel: ranged('repel', 0.5),
  control: ranged('control', 1),
  look: field((value) => isText(value, LONGEST_NAME),
    `Write the name of an embedding, of at most ${LONGEST_NAME} characters.`, ''),
  locked: toggle(false),
  from: picture(''),
})

export const DOCUMENT_FIELDS = Object.freeze({
  version: field((value) => value === VERSION, `Write ${VERSION}.`, VERSION),
  width: side(),
  height: side(),
  background: field((value) => typeof value === 'string' && /^#(?:[0-9a-f]{3}){1,2}$/i.test(value),
    'Write a colour such as #969696.', '#969696'),
  background_picture: picture(''),
  prompt: text(),
  layers: list(),
  edit: object(),
})

export const EDIT_FIELDS = Object.freeze({
  picture: picture(),
  layers: list(),
  background: toggle(false),
  noise: number(0, 1, 0.6),
  feather: number(...FEATHER, 10),
  before: object(),
})

export const BEFORE_FIELDS = Object.freeze({ prompt: text(), layers: list() })

/** The defaults of a table, without keys that have none. */
export const defaultsOf = (fields) =>
  Object.freeze(Object.fromEntries(Object.entries(fields)
    .filter(([, one]) => !one.required && one.default !== null)
    .map(([name, one]) => [name, one.default])))

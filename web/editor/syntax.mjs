// What ComfyUI reads in a prompt, and the words that phrases are matched with.
// It is collage_core/prompt/syntax.py for the page. Positions count UTF-16 units, as text fields do.

const DEEPEST = 100 // parentheses inside each other
const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const EMBEDDING = new RegExp(
  `(?:^|(?<=[${SPACE}]))embedding:(?:[${SPACE}]+(?!embedding:))?([^${SPACE}]*)`, 'g')
const IS_SPACE = new RegExp(`[${SPACE}]`)
const EDGES = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, 'g')
const DIGITS = '[0-9]+(?:_[0-9]+)*'
const NUMBER = new RegExp(
  `^[+-]?(?:(?:${DIGITS}\\.?(?:${DIGITS})?|\\.${DIGITS})(?:e[+-]?${DIGITS})?|inf|infinity|nan)$`, 'i')
// Scripts written without spaces, Thai to Khmer and Chinese and Japanese: a word per character
const UNSPACED = new RegExp('[\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff\\u3040-\\u30ff' +
  '\\u3400-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}]', 'u')
const JOINERS = '\u200c\u200d' // zero-width: inside Persian words and compound emoji

/**
 * Reads a prompt by the rules of ComfyUI's own reader; all spans are [start, end).
 * @param {string} prompt
 * @returns {{literals: number[][], weights: number[][],
 *   embeddings: {start: number, end: number, name: string}[]}}
 */
export function readPrompt(prompt) {
  const hidden = prompt.replaceAll('\\(', '\0\0').replaceAll('\\)', '\0\0') // as long as before
  const literals = []
  const weights = []
  collect(hidden, 0, hidden.length, partners(hidden), DEEPEST, literals, weights)
  const embeddings = literals.flatMap(([from, to]) =>
    [...prompt.slice(from, to).matchAll(EMBEDDING)].map((match) => {
      const name = embeddingName(match[1])
      const start = from + match.index
      return { start, end: start + match[0].length - match[1].length + name.length, name }
    }))
  return { literals, weights, embeddings }
}

/** The closing parenthesis of each opening one that has one. */
export function partners(text) {
  const found = new Map()
  const opened = []
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '(') opened.push(i)
    else if (text[i] === ')' && opened.length) found.set(opened.pop(), i)
  }
  return found
}

function collect(text, first, last, partner, levels, literals, weights) {
  for (const [start, end] of items(text, first, last, partner)) {
    if (!levels || end - start < 2 || text[start] !== '(' || text[end - 1] !== ')') {
      literals.push([start, end])
      continue
    }
    const colon = text.slice(start + 1, end - 1).lastIndexOf(':') + start + 1
    if (colon > start + 1 && isNumber(text.slice(colon + 1, end - 1))) {
      collect(text, start + 1, colon, partner, levels - 1, literals, weights)
      weights.push([colon, end - 1])
    } else {
      collect(text, start + 1, end - 1, partner, levels - 1, literals, weights)
    }
  }
}

/** Top-level groups with their parentheses, and the stretches between them. */
function items(text, first, last, partner) {
  const found = []
  let start = first
  let surplus = 0 // closing parentheses without a partner; each takes the next opening one
  for (let at = first; at < last; at += 1) {
    if (text[at] !== '(' && text[at] !== ')') continue
    if (text[at] === ')' || surplus) {
      surplus += text[at] === ')' ? 1 : -1
      continue
    }
    if (start < at) found.push([start, at])
    start = at
    const end = (partner.get(at) ?? last) + 1
    if (end > last) break // the rest is one item
    found.push([start, end])
    start = end
    at = end - 1
  }
  if (start < last) found.push([start, last])
  return found
}

/** Whether Python's float reads it: 1.2, 1_0, 1e3, inf, in the digits of any script. */
function isNumber(text) {
  return NUMBER.test(text.replace(EDGES, '').replace(/\p{Nd}/gu, '0'))
}

/** The name at the start of what follows "embedding:", without the comma that ends it. */
function embeddingName(text) {
  const name = text.split(/[<[]/, 1)[0]
  return name.replace(/,+$/, '') || name
}

/**
 * The words and signs of a text in order, without white space, parentheses and weights.
 * `key` is equal for spellings that count as the same word.
 * @param {string} text
 * @returns {{start: number, end: number, key: string}[]}
 */
export function splitWords(text) {
  const read = readPrompt(text)
  const hidden = new Uint8Array(text.length)
  for (const { index, 0: sign } of text.matchAll(/\\?[()]/g)) hidden.fill(1, index, index + sign.length)
  const ends = new Map(read.embeddings.filter((one) => one.name).map((one) => {
    const cut = hidden.subarray(one.start, one.end).indexOf(1)
    return [one.start, cut < 0 ? one.end : one.start + cut]
  }))
  for (const [start, end] of read.weights) hidden.fill(1, start, end)
  const spans = []
  for (let i = 0; i < text.length;) {
    const char = String.fromCodePoint(text.codePointAt(i))
    const last = spans.at(-1)
    let end = i + char.length
    if (hidden[i] || IS_SPACE.test(char)) {
      i = end
      continue
    }
    if (ends.has(i)) spans.push([i, end = ends.get(i)])
    else if (last?.[1] === i && continues(text, last[0], i, char)) last[1] = end
    else spans.push([i, end])
    i = end
  }
  return spans.map(([start, end]) => ({ start, end, key: wordKey(text.slice(start, end)) }))
}

/** The keys of the words of a text: equal for texts that count as the same words. */
export function wordKeys(text) {
  return splitWords(text).map((word) => word.key)
}

function continues(text, start, i, char) {
  if (/\p{M}/u.test(char) || JOINERS.includes(char)) return true
  return JOINERS.includes(text[i - 1]) || (isLetter(text, start) && isLetter(text, i))
}

/** Whether the character at a place may be part of a longer word. */
export function isLetter(text, i) {
  const char = String.fromCodePoint(text.codePointAt(i))
  return /[\p{L}\p{N}_]/u.test(char) && !UNSPACED.test(char)
}

/** Case folded and composed as Python does: lower case alone would part "STRASSE" and "straße". */
function wordKey(word) {
  const folded = Array.from(word, (char) => {
    const upper = char === '\u0131' ? char : char.toLowerCase().toUpperCase() // the i without a dot
    return Array.from(upper, (one) => one.toLowerCase()).join('')
  })
  return folded.join('').normalize('NFC')
}

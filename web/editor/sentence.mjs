// The scene sentence that writes itself: words of layers are put in, changed and taken out.
// All else stays as the user wrote it.
import { isLetter, partners, readPrompt, splitWords } from './syntax.mjs'
import { findPhrases } from './words.mjs'

const SIGNS = ',;\uff0c\u3001\uff1b'
const JOINT_BEFORE = new RegExp(`(?:\\s*(?:[${SIGNS}&]|(?<=^|[\\s${SIGNS}])and\\b))+\\s*$`, 'i')
const JOINT_AFTER = new RegExp(`^[ \\t]*(?:(?:[${SIGNS}&]|and\\b(?=\\s|$))\\s*)+`, 'i')
const LONGEST_JOINT = 64 // characters of commas, "and" and white space around words that are taken out
const OPEN_END = new RegExp(`(?:[${SIGNS}&.!?:\\u3002]|\\b(?:and|with|of)\\b)\\s*$`, 'i')
const LEADS = (
  'above at before behind below beside between by for from in inside into near next of on onto or over ' +
  'to under with'
).split(' ')
// say nothing by themselves, when all that they stood between is gone
const LITTLE = new Set(['a', 'an', 'and', 'its', 'or', 'the', ...LEADS])
const ARTICLE = new RegExp(`(?<=^|[\\s(${SIGNS}])(?:an?|the)[ \\t]+$`, 'i')
const LEAD = new RegExp(`(?:(?<=^|[\\s(${SIGNS}])(?:${LEADS.join('|')})[ \\t]+)+$`, 'i')
const LEADS_NOWHERE = new RegExp(`^[ \\t]*(?:$|[${SIGNS}.!?)\\n\\r\\u3002]|(?:${LEADS.join('|')})\\b)`, 'i')

/** The prompt with these words at its end, if they do not stand in it yet. */
export function appendWords(prompt, text) {
  return withWords(prompt, [], { id: '', text })
}

/** The prompt with the first phrase replaced by the second wherever it stands. */
export function replaceWords(prompt, old, text) {
  return withOtherWords(prompt, [{ id: '', text: old }], '', text)
}

/** The prompt without these words. */
export function removeWords(prompt, text) {
  return withoutWords(prompt, [{ id: '', text }], '')
}

/** The prompt for these layers and one more: its words are appended, unless they stand there. */
export function withWords(prompt, layers, { id, text }) {
  const words = text.trim()
  if (!splitWords(words).length) return prompt
  const found = findPhrases(prompt, [...layers, { id, text }])
  const { missing, crossing } = found
  if (![...missing, ...crossing.map((one) => one.id)].includes(id)) return prompt
  const left = prompt.replace(/[ \t]+$/, '')
  if (!left.trim()) return words
  if (/[\n\r]$/.test(left)) return left + words
  if (OPEN_END.test(left)) return `${left} ${words}`
  return left + (/[\u3040-\u30ff\u3400-\u9fff]$/.test(left) ? '\uff0c' : ', ') + words
}

/** The prompt after the words of one layer became others; places that layers share stay. */
export function withOtherWords(prompt, layers, id, text) {
  if (!splitWords(text).length) return withoutWords(prompt, layers, id)
  const after = layers.map((layer) => (layer.id === id ? { ...layer, text } : layer))
  let result = prompt
  for (const place of ownPlaces(prompt, layers, id).reverse()) {
    result = put(result, place, text.trim())
  }
  return withWords(result, after.filter((layer) => layer.id !== id), { id, text })
}

/** The prompt without the words of one layer; places that layers share stay. */
export function withoutWords(prompt, layers, id) {
  const others = layers.filter((layer) => layer.id !== id)
  let result = prompt
  for (const place of ownPlaces(prompt, layers, id).reverse()) {
    const kept = findPhrases(result, others).places
    result = takeOut(result, place, kept)
  }
  return result === prompt || saysSomething(result) ? result : ''
}

const saysSomething = (prompt) => splitWords(prompt).some(({ key }) => !LITTLE.has(key))

/** Places of this layer and no other, that lie in no other layer's place and have none inside. */
function ownPlaces(prompt, layers, id) {
  const { places } = findPhrases(prompt, layers)
  const apart = (place) =>
    places.every((one) => one === place || one.end <= place.start || place.end <= one.start)
  return places.filter((place) => place.ids.length === 1 && place.ids[0] === id && apart(place))
}

/** Other words at a place. What groups and weights of the place reach beyond it stay whole. */
function put(prompt, { start, end }, text) {
  const inner = spanOf(prompt, start, end, text)
  const { opened, closed } = loose(prompt, inner.start, inner.end)
  const left = prompt.slice(0, inner.start) + opened
  const right = closed + prompt.slice(inner.end)
  return joined(joined(left, inner.text), right)
}

/** The part of a place that differs, so that weights of the words that stay are kept. */
function spanOf(prompt, start, end, text) {
  const whole = { start, end, text }
  if (!/[()]/.test(prompt.slice(start, end))) return whole
  const old = splitWords(prompt).filter((word) => start <= word.start && word.end <= end)
  const words = splitWords(text)
  const least = Math.min(old.length, words.length) - 1
  let first = 0
  while (first < least && old[first].key === words[first].key) first += 1
  let last = 0
  while (last < least - first && old.at(-1 - last).key === words.at(-1 - last).key) last += 1
  const [from, to] = [old[first].start, old.at(-1 - last).end]
  if (/[()]/.test(prompt.slice(from, to))) return whole
  return { start: from, end: to, text: text.slice(words[first].start, words.at(-1 - last).end) }
}

/** Parentheses inside a span whose partners lie outside, closing ones with their weight. */
function loose(prompt, start, end) {
  const hidden = prompt.replace(/\\[()]/g, '\0\0')
  const pairs = [...partners(hidden)]
  const { weights } = readPrompt(prompt)
  const inside = (i) => start <= i && i < end
  const opened = pairs.filter(([open, close]) => inside(open) && !inside(close))
  const closed = pairs.filter(([open, close]) => inside(close) && !inside(open)).map(([, close]) => {
    const weight = weights.find((one) => one[1] === close)
    return prompt.slice(weight ? weight[0] : close, close + 1)
  })
  return { opened: '('.repeat(opened.length), closed: closed.join('') }
}

/** Two texts in a row, with a space where a word would begin in the middle of another. */
function joined(left, right) {
  if (!left || !right) return left + right
  const glued = isLetter(left, left.length - 1) && isLetter(right, 0)
  return left + (glued ? ' ' : '') + right
}

/** A place with what only leads to it: its article, and "on" or "next to" where nothing else follows. */
function withLead(prompt, { start, end }, from) {
  const before = (pattern, at) =>
    prompt.slice(Math.max(from, at - LONGEST_JOINT), at).match(pattern)?.[0].length ?? 0
  const first = start - before(ARTICLE, start)
  const lead = LEADS_NOWHERE.test(prompt.slice(end)) ? before(LEAD, first) : 0
  return { start: first - lead, end, led: lead > 0 }
}

/** Without a place, and without the comma or "and" that led to it; kept: what may not be cut. */
function takeOut(prompt, place, kept) {
  const from = Math.max(0, ...kept.map((one) => one.end).filter((at) => at <= place.start))
  const inside = withLead(prompt, place, from)
  const { start, end, led } = withLead(prompt, emptied(prompt, inside), from)
  const { opened, closed } = loose(prompt, start, end)
  const to = Math.min(prompt.length, ...kept.map((one) => one.start).filter((at) => at >= end))
  const joint = (text, pattern) => (opened || closed ? '' : (text.match(pattern)?.[0] ?? ''))
  const before = joint(prompt.slice(Math.max(from, start - LONGEST_JOINT), start), JOINT_BEFORE)
  const rest = prompt.slice(end, Math.min(to, end + LONGEST_JOINT))
  // behind "on the table" the comma ends what came before, and is none of a list
  const listed = !(inside.led || led) || before || !prompt.slice(0, start).trim()
  const after = listed ? joint(rest, JOINT_AFTER) : ''
  const left = prompt.slice(0, start - before.length) + opened
  const right = closed + prompt.slice(end + after.length)
  if (before && after) return spaced(left, after.replace(/[ \t]+$/, ''), right)
  return spaced(left, '', right)
}

/** The place with the groups around it that would be left empty, and their weights. */
function emptied(prompt, { start, end }) {
  const hidden = prompt.replace(/\\[()]/g, '\0\0')
  const pairs = partners(hidden)
  const { weights } = readPrompt(prompt)
  for (;;) {
    const open = hidden.slice(0, start).trimEnd().length - 1
    const close = pairs.get(open)
    if (hidden[open] !== '(' || close === undefined || close < end) return { start, end }
    const weight = weights.find((one) => one[1] === close)
    if (hidden.slice(end, weight ? weight[0] : close).trim()) return { start, end }
    start = open
    end = close + 1
  }
}

function spaced(left, joint, right) {
  const head = left.replace(/[ \t]+$/, '') + joint
  const tail = right.replace(/^[ \t]+/, '')
  if (!head.trim()) return tail.replace(/^[.,;:!?\uff0c\u3001\u3002\s]+/, '')
  if (/[\n\r]$/.test(head)) return head + tail.replace(/^\r?\n/, '')
  const free = /\s$/.test(left) || /^\s/.test(right) || joint
  const tight = /[(\uff0c\u3001\uff1b]$/.test(head) || /^[\n\r).,;:!?\uff0c\u3001\u3002]/.test(tail)
  return head + (free && tail && !tight ? ' ' : '') + tail
}

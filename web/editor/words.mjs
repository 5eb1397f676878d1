// Where the words of each layer stand in the scene prompt: collage_core/prompt/phrases.py for the page.
import { splitWords, wordKeys } from './syntax.mjs'

export { appendWords, removeWords, replaceWords } from './sentence.mjs'

/**
 * Finds every layer's text in the prompt; Python's `find_phrases` explains the rules.
 * places: what is taken, in order, with the layers it belongs to and the words that are its own
 * (a shorter phrase inside keeps its words). missing: layers whose words do not stand there, or
 * that have none. crossing: layers whose words cross those of another layer, or lie in them, with
 * where they stand and where the other's stand.
 * @param {string} prompt
 * @param {{id: string, text: string}[]} layers
 * @returns {{places: {start: number, end: number, ids: string[], words: number[][]}[],
 *   missing: string[], crossing: {id: string, start: number, end: number, other: number[]}[]}}
 */
export function findPhrases(prompt, layers) {
  const words = splitWords(prompt)
  const phrases = phrasesOf(layers)
  claimAll(phrases, words)
  const places = phrases.flatMap(placesOf).sort((a, b) => a.start - b.start || b.end - a.end)
  const missing = []
  const crossing = []
  for (const phrase of phrases) {
    if (phrase.places.some((place) => place.words.length)) continue
    const at = phrase.places[0] ?? firstMatch(phrase.keys, words)
    const other = at && crossed(at, phrase, phrases)
    for (const id of phrase.ids) {
      if (other) crossing.push({ id, start: at.start, end: at.end, other: [other.start, other.end] })
      else missing.push(id)
    }
  }
  return { places: places.filter((place) => place.words.length), missing, crossing }
}

/** The different phrases of the layers, in the order of their first layer. */
function phrasesOf(layers) {
  const phrases = new Map()
  for (const { id, text } of layers) {
    const keys = wordKeys(text)
    const spelt = keys.join('\n')
    if (!phrases.has(spelt)) phrases.set(spelt, { keys, ids: [], claimed: [], places: [] })
    phrases.get(spelt).ids.push(id)
  }
  return [...phrases.values()]
}

/** Longer phrases take their words first; a shorter one inside takes its own out of them. */
function claimAll(phrases, words) {
  const letters = (phrase) => [...phrase.keys.join('')].length
  const order = [...phrases].sort((a, b) => b.keys.length - a.keys.length || letters(b) - letters(a))
  const owner = new Array(words.length)
  const edges = new Uint8Array(words.length + 1) // 1 before a word where a claimed stretch begins or ends
  for (const phrase of order) {
    phrase.claimed = claim(matches(phrase.keys, words), owner, edges)
    for (const [first, stop] of phrase.claimed) {
      owner.fill(phrase, first, stop)
      edges[first] = edges[stop] = 1
    }
  }
  for (const phrase of phrases) {
    phrase.places = phrase.claimed.map(([first, stop]) => {
      const own = words.slice(first, stop).filter((_, i) => owner[first + i] === phrase)
      const spans = own.map((word) => [word.start, word.end])
      return { start: words[first].start, end: words[stop - 1].end, words: spans }
    })
  }
}

/** Every stretch of words, [first, stop), with these keys. */
function matches(keys, words) {
  const found = []
  if (!keys.length) return found
  for (let i = 0; i + keys.length <= words.length; i += 1) {
    if (keys.every((key, k) => words[i + k].key === key)) found.push([i, i + keys.length])
  }
  return found
}

/** Of stretches those that cross nothing claimed: free ones, or else those inside longer phrases. */
function claim(found, owner, edges) {
  const whole = found.filter(([first, stop]) => !edges.subarray(first + 1, stop).includes(1))
  const free = whole.filter(([first]) => !owner[first])
  const claimed = []
  for (const match of free.length ? free : whole) {
    if (!claimed.length || claimed.at(-1)[1] <= match[0]) claimed.push(match)
  }
  return claimed
}

/** As many places as layers: one each, in order. Otherwise they share all of them. */
function placesOf({ ids, places }) {
  return places.map((place, i) => ({ ...place, ids: ids.length === places.length ? [ids[i]] : ids }))
}

function firstMatch(keys, words) {
  const [match] = matches(keys, words)
  return match && { start: words[match[0]].start, end: words[match[1] - 1].end }
}

function crossed(at, phrase, phrases) {
  const others = phrases.filter((one) => one !== phrase).flatMap((one) => one.places)
  return others.find(({ start, end }) => start < at.end && at.start < end)
}

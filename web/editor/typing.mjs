// What typing in the sentence means: inside a phrase it changes the words of its layer.
import { isLetter } from './syntax.mjs'

/**
 * @param {string} before
 * @param {string} after
 * @param {number} caret where it is in `after`
 * @returns {{start: number, end: number, text: string}} the stretch of `before` that became `text`
 */
export function changeOf(before, after, caret = after.length) {
  const longest = Math.min(before.length, after.length)
  const most = Math.min(longest, after.length - caret) // what is behind the caret was not typed
  let same = 0
  while (same < most && before.at(-1 - same) === after.at(-1 - same)) same += 1
  let start = 0
  while (start < longest - same && before[start] === after[start]) start += 1
  while (same < longest - start && before.at(-1 - same) === after.at(-1 - same)) same += 1
  return { start, end: before.length - same, text: after.slice(start, after.length - same) }
}

/**
 * The layers whose words change with what was typed, and their new words.
 * Letters typed right behind a phrase belong to it where they go on with its last word. What is typed right
 * before it never does: "a box with " before "rice", letter by letter, is no part of the rice.
 * @param {string} before the sentence
 * @param {{start: number, end: number, ids: string[]}[]} places of phrases in it
 * @param {{start: number, end: number, text: string}} change
 * @returns {{ids: string[], text: string} | null}
 */
export function renamedBy(before, places, change) {
  const inside = places.filter((place) => holds(before, place, change))
  const place = inside.sort((a, b) => a.end - a.start - (b.end - b.start))[0]
  if (!place) return null
  const words = before.slice(place.start, change.start) + change.text + before.slice(change.end, place.end)
  return words.trim() && !/[\n()]/.test(words) ? { ids: place.ids, text: words.trim() } : null
}

function holds(before, place, { start, end, text }) {
  if (start < place.start || end > place.end) return false
  if (start !== end || (start > place.start && start < place.end)) return true
  const word = before.slice(0, start) + text
  return start === place.end && text.length > 0 && isLetter(word, start - 1) && isLetter(word, start)
}

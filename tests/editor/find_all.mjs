// Reads [[prompt, [text, ...]], ...] from stdin and says what findPhrases finds, as Python counts.
import { readFileSync } from 'node:fs'
import { findPhrases } from '../../web/editor/words.mjs'

const found = JSON.parse(readFileSync(0, 'utf8')).map(([prompt, texts]) => {
  const counted = (at) => [...prompt.slice(0, at)].length
  const { places, missing, crossing } = findPhrases(prompt, texts.map((text, id) => ({ id, text })))
  const refused = [...missing, ...crossing.map((one) => one.id)].sort((a, b) => a - b)
  const listed = places.map(({ start, end, ids, words }) =>
    [counted(start), counted(end), ids, words.map((span) => span.map(counted))])
  listed.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  return { places: refused.length ? [] : listed, refused }
})
console.log(JSON.stringify(found))

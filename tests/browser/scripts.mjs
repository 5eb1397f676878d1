// Runs scripts of this folder one after the other. Each line that comes in names one with its words, as
// JSON: ["help.mjs", "<server url>", "<picture.png>", ...]; the line that goes out tells what it saw.
import { createInterface } from 'node:readline'
import { closePage, drawLess } from './browser.mjs'
import { keepSeen, seenSoFar } from './editor.mjs'

drawLess()
let run = 0
for await (const line of createInterface({ input: process.stdin })) {
  const [script, ...words] = JSON.parse(line)
  process.argv = [process.argv[0], script, ...words]
  run += 1
  keepSeen()
  const answer = await import(`./${script}?${run}`).then(
    (module) => ({ seen: module.default }),
    (error) => ({ error: `${error?.stack ?? error}\nSeen so far: ${JSON.stringify(seenSoFar())}` }),
  )
  if (answer.error) await closePage() // who knows in what state
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
await closePage()

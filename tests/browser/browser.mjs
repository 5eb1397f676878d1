// A browser on ComfyUI's page, as a user who has seen the tour meets it.
import { createRequire } from 'node:module'

const flags = [
  '--no-sandbox', '--disable-gpu', '--use-gl=angle', '--use-angle=swiftshader',
  '--disable-dev-shm-usage', '--disable-background-networking', '--disable-sync',
  '--disable-component-update', '--no-first-run',
]

/** Waits until the page has done what it was asked: idle after drawing, the view of the graph in its place. */
export const atRest = (page) =>
  page.evaluate(async () => {
    const drawn = () =>
      new Promise((resolve) => requestAnimationFrame(() => requestIdleCallback(resolve, { timeout: 2000 })))
    const { ds } = window.app.canvas
    for (let same = 0, last = ''; same < 3; ) {
      await drawn()
      const view = [ds.scale, ...ds.offset].join()
      same = view === last ? same + 1 : 0
      last = view
    }
  })

// settings: the server's, saved before the page is there (on a first visit it opens the templates
// by itself); watch: called with the page before it loads
export async function openPage(url, { language = 'en-US', settings = {}, watch = () => {} } = {}) {
  const require = createRequire(`${process.env.PLAYWRIGHT_FROM}/`)
  const { chromium } = require('playwright-core')
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: flags })
  // the page's animations, drawn without a graphics card, cost a quarter of its load
  const looks = { viewport: { width: 1600, height: 1000 }, locale: language, reducedMotion: 'reduce' }
  const context = await browser.newContext(looks)
  const page = await context.newPage()
  watch(page)
  // the server keeps what an earlier page has set
  const defaults = {
    'Comfy.TutorialCompleted': true,
    'Comfy.Locale': language.slice(0, 2),
    'Comfy.ColorPalette': 'dark',
  }
  const saved = await fetch(`${url}/settings`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...defaults, ...settings }),
  })
  if (!saved.ok) throw new Error(`the settings were refused with status ${saved.status}`)
  await page.goto(url, { waitUntil: 'domcontentloaded' })
  await page.waitForFunction(() => window.app?.extensionManager && window.app?.canvas, null, { timeout: 120000 })
  await page.keyboard.press('Escape')
  return { browser, page }
}

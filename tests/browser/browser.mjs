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

let less = false

/** From now on pages draw less around the nodes than a user's does, for processors draw them. */
export const drawLess = () => (less = true)

let kept = null // the page that the script before has left, and what it was opened with

/** Closes the page that is kept for the next script. */
export async function closePage() {
  const left = kept
  kept = null
  await left?.browser.close()
}

// settings: the server's, saved before the page is there (on a first visit it opens the templates
// by itself); watch: called with the page before it loads. A script in the language of the one before
// it goes on with its page, where the settings are changed and the page's own first workflow is loaded anew.
export async function openPage(url, { language = 'en-US', settings = {}, watch = () => {} } = {}) {
  // the server keeps what an earlier page has set
  const wanted = {
    'Comfy.TutorialCompleted': true,
    'Comfy.Locale': language.slice(0, 2),
    'Comfy.ColorPalette': 'dark',
    ...(less ? { 'Comfy.Minimap.Visible': false, 'LiteGraph.Canvas.MaximumFps': 20 } : {}),
    ...settings,
  }
  const asked = `${url} ${language}`
  if (kept?.asked === asked && kept.browser.isConnected()) {
    await begunAnew(kept.page, wanted, watch)
  } else {
    await closePage()
    await save(url, wanted)
    kept = { asked, ...(await launched(language)) }
    watch(kept.page)
    await kept.page.goto(url, { waitUntil: 'domcontentloaded' })
    await kept.page.waitForFunction(() => window.app?.extensionManager && window.app?.canvas, null, { timeout: 120000 })
  }
  await kept.page.keyboard.press('Escape')
  return { browser: kept.browser, page: kept.page }
}

async function save(url, settings) {
  const saved = await fetch(`${url}/settings`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(settings),
  })
  if (!saved.ok) throw new Error(`the settings were refused with status ${saved.status}`)
}

async function launched(language) {
  const require = createRequire(`${process.env.PLAYWRIGHT_FROM}/`)
  const { chromium } = require('playwright-core')
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: flags })
  // the page's animations, drawn without a graphics card, cost a quarter of its load
  const looks = { viewport: { width: 1600, height: 1000 }, locale: language, reducedMotion: 'reduce' }
  const context = await browser.newContext(looks)
  if (less) await context.addInitScript(withoutShadows)
  return { browser, page: await context.newPage() }
}

/** The shadow of a node of Nodes 2.0, drawn without a graphics card, takes 30 ms of every frame. */
function withoutShadows() {
  document.addEventListener('DOMContentLoaded', () => {
    const style = document.createElement('style')
    style.textContent = '.lg-node { filter: none !important }'
    document.head.append(style)
  })
}

async function begunAnew(page, settings, watch) {
  for (const kind of ['pageerror', 'console', 'request']) page.removeAllListeners(kind)
  await page.mouse.move(1599, 999) // what is shown where the pointer rests is no one's
  await page.evaluate(async (settings) => {
    const { setting, toast, command, workflow } = window.app.extensionManager
    toast.removeAll()
    await command.execute('Comfy.LoadDefaultWorkflow')
    // a script finds a tab by its name, which those of the scripts before it have, too
    for (const tab of [...workflow.openWorkflows]) {
      if (tab.path !== workflow.activeWorkflow.path) await workflow.closeWorkflow(tab)
    }
    for (const [name, value] of Object.entries(settings)) {
      if (setting.get(name) !== value) await setting.set(name, value)
    }
  }, settings)
  watch(page)
}

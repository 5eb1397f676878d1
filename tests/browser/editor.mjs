// The Collage Editor on ComfyUI's page, for scripts: opened with a document, driven by mouse and keyboard.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { atRest, openPage } from './browser.mjs'

let seen = {}

/** Begins anew what a script has seen. */
export const keepSeen = (begun = {}) => (seen = begun)

/** What the script that began last has seen: told with the error of one that fails. */
export const seenSoFar = () => seen

/** A page with one Collage Editor. -> {page, browser, errors, foreign, ...helpers} */
export async function openEditor(url, look, { document = '', settings = {}, language } = {}) {
  const errors = []
  const foreign = []
  const { browser, page } = await openPage(url, {
    language,
    settings: {
      'Comfy.VueNodes.Enabled': look === 'nodes2',
      'Comfy.Workflow.WarnBlueprintOverwrite': false,
      ...settings,
    },
    watch: (page) => {
      page.on('pageerror', (error) => errors.push(`${error} ${error.stack}`))
      page.on('console', (said) => {
        if (said.type() === 'error') errors.push(`${said.text()} ${said.location().url}`)
      })
      page.on('request', (request) => {
        if (/^https?:/.test(request.url()) && !request.url().startsWith(url)) foreign.push(request.url())
      })
    },
  })
  await page.waitForFunction(() => window.app.graph.nodes.length > 0, null, { timeout: 60000 })
  await page.evaluate((graph) => window.app.loadGraphData(graph, true, true, 'collage'), graphOf(document))
  const editor = page.locator('.collage-editor:visible').first()
  await editor.waitFor({ timeout: 60000 })
  await lookAt(page, 1)
  return { browser, page, errors, foreign, editor, ...helpers(page) }
}

/** An editor, and a Preview Image that shows what it gives out. */
export function graphOf(document, size = [900, 860]) {
  const outputs = [
    ['collage', 'COLLAGE'],
    ['image', 'IMAGE'],
    ['visible_masks', 'MASK'],
    ['prompt', 'STRING'],
    ['report', 'STRING'],
  ]
  return {
    last_node_id: 2,
    last_link_id: 1,
    links: [[1, 1, 1, 2, 0, 'IMAGE']],
    groups: [],
    config: {},
    extra: {},
    version: 0.4,
    nodes: [
      {
        id: 1,
        type: 'CollageEditor',
        pos: [120, 90],
        size,
        flags: {},
        order: 0,
        mode: 0,
        inputs: [],
        properties: {},
        outputs: outputs.map(([name, type]) => ({ name, type, links: name === 'image' ? [1] : null })),
        widgets_values: [document],
      },
      {
        id: 2,
        type: 'PreviewImage',
        pos: [140 + size[0], 90],
        size: [260, 300],
        flags: {},
        order: 1,
        mode: 0,
        inputs: [{ name: 'images', type: 'IMAGE', link: 1 }],
        outputs: [],
        properties: {},
      },
    ],
  }
}

/** The graph at this zoom, its origin in the upper left corner of the page. */
export async function lookAt(page, scale, offset = [0, 0]) {
  await page.evaluate(
    ([scale, offset]) => {
      window.app.canvas.ds.scale = scale
      window.app.canvas.ds.offset = offset
      window.app.canvas.setDirty(true, true)
    },
    [scale, offset],
  )
  await atRest(page)
}

function helpers(page) {
  /** What the first editor's widget holds. */
  const text = () =>
    page.evaluate(
      () =>
        window.app.graph.nodes
          .find((node) => node.comfyClass === 'CollageEditor')
          .widgets.find((widget) => widget.name === 'document').value,
    )
  const read = async () => JSON.parse((await text()) || '{"layers":[]}')
  /** Where a point of the canvas, in its pixels, is on the page. */
  const at = (x, y, within = '.collage-editor') =>
    page.evaluate(
      ([x, y, within]) => {
        const view = [...document.querySelectorAll(`${within} .collage-canvas`)].find(
          (one) => one.offsetParent,
        )
        const [left, top] = view.collage.viewport.toView([x, y])
        const box = view.getBoundingClientRect()
        const k = box.width / view.offsetWidth
        return [box.left + k * left, box.top + k * top, k * view.collage.viewport.scale()]
      },
      [x, y, within],
    )
  const drag = async ([x, y], [toX, toY], { steps = 8, hold = null } = {}) => {
    await page.mouse.move(x, y)
    if (hold) await page.keyboard.down(hold)
    await page.mouse.down()
    await page.mouse.move((x + toX) / 2, (y + toY) / 2, { steps: steps / 2 })
    await page.mouse.move(toX, toY, { steps: steps / 2 })
    await page.mouse.up()
    if (hold) await page.keyboard.up(hold)
    await page.waitForTimeout(150)
  }
  /** Drops files on the editor, as a file manager does. */
  const drop = (files, [x, y]) =>
    page.evaluate(
      ([files, x, y]) => {
        const data = new DataTransfer()
        for (const { bytes, name, type } of files) {
          data.items.add(
            new File([Uint8Array.from(atob(bytes), (sign) => sign.charCodeAt(0))], name, { type }),
          )
        }
        const target = document.elementFromPoint(x, y)
        for (const kind of ['dragenter', 'dragover', 'drop']) {
          target.dispatchEvent(
            new DragEvent(kind, {
              dataTransfer: data,
              bubbles: true,
              cancelable: true,
              clientX: x,
              clientY: y,
            }),
          )
        }
      },
      [files.map(asFile), x, y],
    )
  /** Queues the graph; -> 'success' or what went wrong. */
  const run = () =>
    page.evaluate(async () => {
      const { api } = window.app
      const done = new Promise((resolve) => {
        api.addEventListener('execution_success', () => resolve('success'), { once: true })
        api.addEventListener('execution_error', ({ detail }) => resolve(detail.exception_message), { once: true })
        setTimeout(() => resolve('no answer in time'), 120000)
      })
      await window.app.queuePrompt(0, 1)
      return done
    })
  /** Waits until the exact picture is that of the document. */
  const exact = () =>
    page.waitForFunction(
      () => {
        const { context } = document.querySelector('.collage-canvas').collage
        return !context.model.drafting && context.live.current()?.document === context.model.document
      },
      null,
      { timeout: 60000 },
    )
  /** Waits until the widget holds so many layers. */
  const layers = (count) =>
    page.waitForFunction(
      (count) => {
        const value = window.app.graph.nodes.find((node) => node.comfyClass === 'CollageEditor')?.widgets[0]
          .value
        return (value ? JSON.parse(value).layers.length : 0) === count
      },
      count,
      { timeout: 20000 },
    )
  /** Puts the focus on the canvas that is seen; the page may hold others. */
  const focus = () =>
    page.evaluate(() =>
      [...document.querySelectorAll('.collage-keys')].find((one) => one.parentElement.offsetParent).focus(),
    )
  return { text, read, at, drag, drop, layers, focus, run, exact }
}

function asFile(path) {
  const type = { png: 'image/png', jpg: 'image/jpeg', webp: 'image/webp' }[path.split('.').at(-1)] ?? ''
  return { bytes: readFileSync(path).toString('base64'), name: basename(path), type }
}

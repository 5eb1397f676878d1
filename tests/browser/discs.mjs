// Collages of many discs, for tests and measurements of what an editor bears.

/** A collage of so many discs of 512 pixels, on a canvas of this side. */
export const fill = (page, count, side) =>
  page.evaluate(
    async ([count, side]) => {
      const { context } = document.querySelector('.collage-canvas').collage
      const names = []
      for (let hue = 0; hue < 5; hue += 1) {
        const canvas = new OffscreenCanvas(512, 512)
        const g = canvas.getContext('2d')
        const shade = g.createRadialGradient(200, 180, 20, 256, 256, 250)
        shade.addColorStop(0, `hsl(${hue * 72}, 90%, 85%)`)
        shade.addColorStop(1, `hsl(${hue * 72}, 80%, 35%)`)
        g.fillStyle = shade
        g.arc(256, 256, 250, 0, 7)
        g.fill()
        names.push(await context.host.upload(await canvas.convertToBlob(), 'png'))
      }
      for (const name of names) await context.pictures.load(name)
      const layer = (index) => ({
        id: `disc${index}`,
        picture: names[index % 5],
        size: [512, 512],
        text: `disc ${index}`,
        fit: 'contain',
        x: 0.15 + 0.7 * ((index % 5) / 4),
        y: 0.15 + 0.7 * ((Math.floor(index / 5) % 5) / 4),
        scale: 0.4,
        rotation: 7 * index,
        flip: 'none',
        blend: 'normal',
        opacity: 1,
        visible: true,
        noise: 0.6,
        attract: 0.3,
        repel: 0.5,
        control: 1,
        look: '',
        locked: false,
        from: '',
      })
      const all = Array.from({ length: count }, (_, index) => layer(index))
      context.model.edit('', (document) => ({ ...document, width: side, height: side, layers: all }))
    },
    [count, side],
  )

const RADIUS = 0.2 // of the canvas: 250 of 512 pixels at a scale of 0.4, and a little more

/** A point of a disc, in fractions of the canvas, that no disc above it covers. */
function gripOf(one, above) {
  for (let step = 0; step < 200; step += 1) {
    const away = 0.85 * RADIUS * Math.sqrt(step / 200)
    const point = [one.x + away * Math.cos(2.4 * step), one.y + away * Math.sin(2.4 * step)]
    const free = above.every(({ x, y }) => Math.hypot(x - point[0], y - point[1]) > RADIUS)
    if (free && point.every((value) => value > 0.02 && value < 0.98)) return point
  }
  throw new Error(`nothing of "${one.text}" can be seen`)
}

/**
 * Drags the third layer from the top about, and leaves it elsewhere, nearer to the middle. -> frames: drawn in a second; settled: milliseconds from
 * letting go until the exact picture of the document stands on the canvas.
 */
export async function dragged({ page, at, read }, seconds) {
  const { layers, width } = await read()
  const one = layers.at(-3)
  const [x, y] = await at(...gripOf(one, layers.slice(-2)).map((value) => value * width))
  const [across, down] = [one.x, one.y].map((value) => (value > 0.5 ? -1 : 1))
  await page.mouse.move(x, y)
  await page.mouse.down()
  const seen = () =>
    page.evaluate(() => [document.querySelector('.collage-canvas').collage.frames(), performance.now()])
  const from = await seen()
  for (let step = 0, end = Date.now() + seconds * 1000; Date.now() < end; step += 1) {
    await page.mouse.move(x + across * (40 - 40 * Math.cos(step / 9)), y + 40 * Math.sin(step / 9))
  }
  const to = await seen()
  await page.mouse.move(x + across * 80, y + down * 30) // however few steps there were, it is somewhere else now
  await page.evaluate((id) => {
    const { live, model } = document.querySelector('.collage-canvas').collage.context
    if (!model.drafting || !model.chosen.includes(id)) throw new Error(`${id} is not dragged`)
    let letGo = 0
    addEventListener('pointerup', () => { letGo = performance.now() }, { capture: true, once: true })
    window.settled = new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('no exact picture in a minute')), 60000)
      const end = live.subscribe((current) => {
        if (!letGo || model.drafting || current.document !== model.document) return
        end()
        resolve(performance.now() - letGo)
      })
    })
  }, one.id)
  await page.mouse.up()
  const settled = await page.evaluate(() => window.settled)
  return { frames: (1000 * (to[0] - from[0])) / (to[1] - from[1]), settled }
}

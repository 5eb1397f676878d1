// Writes the PSD files beside it with ag-psd, another program than the one that reads them here:
//   npm install ag-psd@31.0.2 && node make.mjs
// What they hold is written down in tests/core/test_psd.py.
import { writeFileSync } from 'node:fs'
import { writePsdBuffer } from 'ag-psd'

/** A picture of one colour. */
function plain(width, height, [red, green, blue, alpha = 255]) {
  const data = new Uint8ClampedArray(width * height * 4)
  for (let i = 0; i < data.length; i += 4) data.set([red, green, blue, alpha], i)
  return { width, height, data }
}

/** A layer of one colour at left, top. */
function layer(name, left, top, width, height, colour, more = {}) {
  return { name, left, top, imageData: plain(width, height, colour), ...more }
}

const RED = [200, 20, 30], GREEN = [10, 180, 40], BLUE = [20, 40, 220], GREY = [90, 90, 90]
const mask = (left, top, width, height, value, more = {}) => ({
  left, top, right: left + width, bottom: top + height, defaultColor: 0,
  imageData: plain(width, height, [value, value, value]), ...more,
})

const whole = (children, more = {}) => ({
  width: 40, height: 24, imageData: plain(40, 24, GREY), children, ...more,
})

const FILES = {
  'layers.psd': whole([
    layer('Background', 0, 0, 40, 24, GREY),
    layer('blue_mug copy 2', 4, 3, 10, 8, BLUE, { opacity: 128 / 255 }),
    layer('三文鱼 🍣.png', -4, -2, 12, 10, [...RED, 100]),
    layer('Layer 12', 30, 12, 6, 6, GREEN, { hidden: true, blendMode: 'multiply' }),
    layer('steam', 20, 2, 6, 6, RED, { blendMode: 'linear light' }),
    layer('far', 4000, 2, 6, 6, RED),
    { name: 'nothing' },
  ]),
  'groups.psd': whole([
    layer('table', 0, 12, 40, 12, GREY),
    {
      name: 'Group 1', opacity: 0.5, mask: mask(0, 0, 20, 24, 255), children: [
        layer('plate', 2, 2, 30, 6, GREEN),
        {
          name: 'inner', hidden: true, children: [layer('fork', 5, 10, 4, 4, RED)],
        },
        layer('napkin', 2, 4, 10, 10, BLUE, { opacity: 204 / 255 }),
      ],
    },
  ]),
  'masks.psd': whole([
    layer('half', 0, 0, 20, 10, RED, { mask: mask(0, 0, 10, 10, 255) }),
    layer('outside white', 0, 10, 20, 10, GREEN, { mask: mask(5, 12, 4, 4, 51, { defaultColor: 255 }) }),
    layer('off', 20, 0, 10, 10, BLUE, { mask: mask(20, 0, 2, 2, 0, { disabled: true }) }),
    layer('thin', 30, 0, 10, 10, BLUE, { mask: mask(30, 0, 5, 10, 0, { userMaskDensity: 0.6, defaultColor: 255 }) }),
  ]),
  'clipping.psd': whole([
    layer('cup', 10, 5, 10, 10, [...BLUE, 128], { opacity: 204 / 255 }),
    layer('pattern', 5, 8, 10, 10, RED, { clipping: true }),
    layer('free', 30, 8, 5, 5, GREEN),
  ]),
  'effects.psd': whole([
    layer('glow', 2, 2, 8, 8, RED, {
      effects: { dropShadow: [{ enabled: true, present: true, blendMode: 'multiply', opacity: 1,
        color: { r: 0, g: 0, b: 0 }, size: { units: 'Pixels', value: 3 }, distance: { units: 'Pixels', value: 2 },
        choke: { units: 'Pixels', value: 0 }, angle: 30, noise: 0, antialiased: false,
        useGlobalLight: false, layerConceals: true }] },
    }),
  ]),
  'shapes.psd': whole([
    layer('sticker', 0, 0, 20, 10, [...RED, 128], {
      vectorFill: { type: 'color', color: { r: 200, g: 20, b: 30 } },
      vectorMask: { paths: [] },
      mask: mask(0, 0, 20, 10, 128, { fromVectorData: true }),
    }),
    layer('title', 20, 0, 10, 10, BLUE, { text: { text: 'title' } }),
  ]),
  'advanced.psd': whole([
    layer('plate', 0, 0, 20, 10, GREEN),
    {
      name: 'on the plate', clipping: true, children: [
        layer('sauce', 10, 0, 20, 10, RED),
        layer('shine', 0, 0, 8, 8, BLUE, { blendMode: 'screen' }),
      ],
    },
    { name: 'own', blendMode: 'normal', children: [layer('shade', 0, 12, 8, 8, GREY, { blendMode: 'multiply' })] },
    layer('hole', 20, 10, 4, 4, RED, { knockout: true }),
    layer('no red', 24, 10, 4, 4, RED, { channelBlendingRestrictions: [0] }),
    layer('lights', 28, 10, 4, 4, RED, {
      blendingRanges: {
        compositeGrayBlendSource: [0, 0, 255, 255], compositeGraphBlendDestinationRange: [100, 120, 255, 255],
        ranges: [],
      },
    }),
    layer('glow', 32, 10, 4, 4, RED, { blendMode: 'linear dodge', fillOpacity: 0.5 }),
    {
      name: 'board', children: [layer('on the board', 0, 0, 4, 4, GREEN)],
      artboard: { rect: { left: 0, top: 0, right: 40, bottom: 24 }, backgroundType: 1, color: { r: 1, g: 2, b: 3 } },
    },
  ]),
}

for (const [name, psd] of Object.entries(FILES)) writeFileSync(name, writePsdBuffer(psd))
writeFileSync('large.psb', writePsdBuffer(FILES['groups.psd'], { psb: true }))

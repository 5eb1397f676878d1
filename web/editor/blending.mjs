// Blend modes for one channel: the colour in [0, 1] that a picture makes with an opaque one below it.
// The separable modes of W3C "Compositing and Blending Level 1"; collage_core/imaging/blending.py.

const screen = (below, above) => below + above - below * above

function softLight(below, above) {
  if (above <= 0.5) return below + (2 * above - 1) * below * (1 - below)
  const lit = below <= 0.25 ? ((16 * below - 12) * below + 4) * below : Math.sqrt(below)
  return below + (2 * above - 1) * (lit - below)
}

/** name -> (below, above) -> colour. */
export const MODES = Object.freeze({
  normal: (below, above) => above,
  multiply: (below, above) => below * above,
  screen,
  overlay: (below, above) => (below <= 0.5 ? 2 * below * above : screen(2 * below - 1, above)),
  'soft light': softLight,
  darken: Math.min,
  lighten: Math.max,
  add: (below, above) => Math.min(1, below + above),
})

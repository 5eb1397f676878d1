// How one view looks at the collage: overlay, zoom, comparison. Memory of that view, never in the document.

const ZOOMS = [0.1, 32]
const START = {
  overlay: 'plain', // or 'noise' or 'masks'
  zoom: 1, // 1: the whole canvas with a margin
  pan: Object.freeze([0, 0]), // canvas pixels from the middle of the canvas to the middle of the view
  snapping: true,
  result: null, // {url, title, width, height, before} of a run that lies over the collage
  split: 0.5, // share of the canvas, from the left, that shows the collage; the rest shows the result
}

export class Display {
  #state
  #listeners = new Set()

  constructor(start = {}) {
    this.#state = { ...START, ...start }
  }

  get overlay() {
    return this.#state.overlay
  }
  get zoom() {
    return this.#state.zoom
  }
  get pan() {
    return this.#state.pan
  }
  get snapping() {
    return this.#state.snapping
  }
  get result() {
    return this.#state.result
  }
  get split() {
    return this.#state.split
  }

  /** Changes some of the fields above and tells those who watch. */
  set(fields) {
    const next = { ...this.#state, ...fields }
    next.zoom = Math.min(ZOOMS[1], Math.max(ZOOMS[0], next.zoom))
    next.split = Math.min(1, Math.max(0, next.split))
    if (Object.keys(START).every((name) => next[name] === this.#state[name])) return
    this.#state = next
    for (const listener of [...this.#listeners]) listener(this)
  }

  /** The same overlay again takes it off. */
  toggleOverlay(name) {
    this.set({ overlay: this.overlay === name ? 'plain' : name })
  }

  /** listener(display) -> the function that ends it. */
  subscribe(listener) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

// What a designer would see at once, measured: text that is hard to read, and text that does not fit.

/** Texts of an element whose contrast is below WCAG AA: [{text, ratio}]. Disabled controls are exempt. */
export function contrasts(root) {
  return root.evaluate((root) => {
    const pen = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
    const read = (colours) => {
      pen.clearRect(0, 0, 1, 1)
      for (const colour of colours) {
        pen.fillStyle = colour
        pen.fillRect(0, 0, 1, 1)
      }
      return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3)
    }
    const light = (channels) => {
      const [r, g, b] = channels.map((one) =>
        one <= 10.3 ? one / 3294 : ((one / 255 + 0.055) / 1.055) ** 2.4,
      )
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const behind = (node) => {
      const colours = []
      for (let at = node; at; at = at.parentElement) colours.unshift(getComputedStyle(at).backgroundColor)
      return ['#fff', ...colours]
    }
    const texts = [...root.querySelectorAll('*')].filter(
      (node) =>
        node.checkVisibility?.() &&
        node.offsetWidth > 1 &&
        !node.matches(':disabled, .collage-mirror, .collage-keys, .collage-live, option') &&
        !node.parentElement.querySelector(':scope > :disabled'),
    )
    const own = (node) =>
      ['INPUT', 'TEXTAREA', 'SELECT'].includes(node.tagName)
        ? ['range', 'button', 'checkbox', 'color'].includes(node.type)
          ? ''
          : node.value || node.placeholder
        : [...node.childNodes]
            .filter((one) => one.nodeType === 3)
            .map((one) => one.data)
            .join('')
            .trim()
    return texts
      .filter(own)
      .map((node) => {
        const ground = behind(node)
        const over = node.closest('.collage-mirror')?.nextElementSibling ?? node // the field's text lies over it
        const [a, b] = [light(read(ground)), light(read([...ground, getComputedStyle(over).color]))]
        return {
          text: own(node).slice(0, 40),
          ratio: Math.round(((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)) * 100) / 100,
        }
      })
      .filter(({ ratio }) => ratio < 4.5)
  })
}

/** Texts that are cut off although nobody wrote them (words of layers may be): labels, buttons, headings, options. */
export function overflows(root) {
  return root.evaluate((root) => {
    const cut = (node) => node.scrollWidth > node.clientWidth + 1
    const labels = [
      ...root.querySelectorAll(
        'label, kbd, small, .collage-button-words, .collage-hint, .collage-none, .collage-welcome *',
      ),
    ]
    const selects = [...root.querySelectorAll('select')].filter((node) => node.offsetParent)
    const wide = selects.filter((node) => {
      const pen = new OffscreenCanvas(1, 1).getContext('2d')
      pen.font = getComputedStyle(node).font
      return pen.measureText(node.selectedOptions[0]?.text ?? '').width > node.clientWidth - 32
    })
    const bars = [...root.querySelectorAll('.collage-toolbar, .collage-controls')].filter(cut)
    return [...labels.filter((node) => node.offsetParent && cut(node)), ...wide, ...bars].map(
      (node) => node.textContent.trim() || node.className,
    )
  })
}

/** Pixels of nothing between the parts of an editor, from its canvas to the sentence below it. */
export function gap(root) {
  return root.evaluate((root) => {
    const edge = (name) => root.querySelector(name).getBoundingClientRect()
    const next = [...root.querySelectorAll('.collage-controls, .collage-prompt, .collage-result')].filter(
      (node) => node.offsetParent,
    )
    const canvas = edge('.collage-canvas')
    return Math.round(
      Math.min(
        ...next
          .map((node) => node.getBoundingClientRect())
          .filter((box) => box.left < canvas.right - 1)
          .map((box) => box.top),
      ) - canvas.bottom,
    )
  })
}

// The editor's own icons: 16 x 16, drawn with strokes in the colour of the text around them.

const PATHS = {
  add: 'M8.5 13.5h-5a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1h9a1 1 0 0 1 1 1v5M2.5 11l3-3 3 3M12.5 10.5v4M10.5 12.5h4M10 5.75a.25.25 0 1 0 .5 0 .25.25 0 1 0-.5 0',
  save: 'M8 2.5v7.5M4.5 7 8 10.5 11.5 7M2.5 11v2.5h11V11',
  savePsd: 'M8 2 1.5 5.25 8 8.5l6.5-3.25zM1.5 8 8 11.25 14.5 8M1.5 10.75 8 14l6.5-3.25',
  undo: 'M5.5 3 2.5 6l3 3M2.5 6H9a4 4 0 0 1 0 8H6',
  redo: 'M10.5 3l3 3-3 3M13.5 6H7a4 4 0 0 0 0 8h3',
  duplicate:
    'M6.5 5.5h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1zM3.5 10.5a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1',
  remove:
    'M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 8.1a1 1 0 0 0 1 .9h4.8a1 1 0 0 0 1-.9L12 4.5M6.75 7.5v3.5M9.25 7.5v3.5',
  cut: 'M6.25 4.25a1.75 1.75 0 1 1-3.5 0 1.75 1.75 0 0 1 3.5 0zM6.25 11.75a1.75 1.75 0 1 1-3.5 0 1.75 1.75 0 0 1 3.5 0zM5.75 5.5l7.75 5.5M5.75 10.5l7.75-5.5',
  flipHorizontal: 'M8 2v2M8 6v1.5M8 9v1.5M8 12.5v1.5M6 4.5v7.5L2 12zM10 4.5v7.5l4 0z',
  flipVertical: 'M2 8h2M6 8h1.5M9 8h1.5M12.5 8h1.5M4.5 6H12V2zM4.5 10H12v4z',
  fit: 'M2.5 5.5v-2a1 1 0 0 1 1-1h2M10.5 2.5h2a1 1 0 0 1 1 1v2M13.5 10.5v2a1 1 0 0 1-1 1h-2M5.5 13.5h-2a1 1 0 0 1-1-1v-2M5.5 6.5h5v3h-5z',
  centre: 'M8 2v3M8 11v3M2 8h3M11 8h3M6 6h4v4H6z',
  plain:
    'M3.5 2.5h9a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1zM2.5 11l3.5-3.5L9.5 11l2-2 2 2M10 5.75a.25.25 0 1 0 .5 0 .25.25 0 1 0-.5 0',
  noise:
    'M3.5 3.5v.01M8 3.5v.01M12.5 3.5v.01M5.75 5.75v.01M10.25 5.75v.01M3.5 8v.01M8 8v.01M12.5 8v.01M5.75 10.25v.01M10.25 10.25v.01M3.5 12.5v.01M8 12.5v.01M12.5 12.5v.01',
  masks:
    'M10.5 6a4.25 4.25 0 1 1-8.5 0 4.25 4.25 0 0 1 8.5 0zM14 10a4.25 4.25 0 1 1-8.5 0A4.25 4.25 0 0 1 14 10z',
  result:
    'M3.5 2.5h9a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1zM8 2.5v11M10.5 8h1.5M10.5 5.5h1.5M10.5 10.5h1.5',
  canvas: 'M4.5 1.5v13M11.5 1.5v13M1.5 4.5h13M1.5 11.5h13',
  trim: 'M4.5 1.5v10h10M1.5 4.5h10v10',
  ground: 'M2.5 13.5l7-7M11 2v3M9.5 3.5h3M13.5 7.5v2M12.5 8.5h2M6 2.5v1.5M5.25 3.25h1.5',
  polygon: 'M8 2l6 4.5-2.5 7h-7L2 6.5z',
  fitView: 'M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM10 10l3.5 3.5M5.5 7h3',
  large: 'M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9',
  small: 'M13.5 6.5h-4v-4M9.5 6.5 14 2M2.5 9.5h4v4M6.5 9.5 2 14',
  shown: 'M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM10 8a2 2 0 1 1-4 0 2 2 0 0 1 4 0z',
  hidden:
    'M6.3 3.7A6.6 6.6 0 0 1 8 3.5C12 3.5 14.5 8 14.5 8a12 12 0 0 1-1.9 2.4M10.9 11.8A6 6 0 0 1 8 12.5C4 12.5 1.5 8 1.5 8a12 12 0 0 1 3.2-3.3M2.5 2.5l11 11',
  locked:
    'M4 7.5h8a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-4a1 1 0 0 1 1-1zM5 7.5V5a3 3 0 0 1 6 0v2.5',
  unlocked:
    'M4 7.5h8a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-4a1 1 0 0 1 1-1zM5 7.5V5a3 3 0 0 1 5.8-1',
  up: 'M8 13V3M4 7l4-4 4 4',
  down: 'M8 3v10M4 9l4 4 4-4',
  next: 'M6 3.5 10.5 8 6 12.5',
  found: 'M3 8.5 6.5 12 13 4.5',
  missing: 'M4 4l8 8M12 4l-8 8',
  warning: 'M8 2 1.5 13.5h13zM8 6.5v3M8 11.5v.01',
  swap: 'M5 2.5 2.5 5 5 7.5M2.5 5h11M11 8.5l2.5 2.5-2.5 2.5M13.5 11h-11',
}

/** @returns {SVGElement} decoration only: what it stands on has the name. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  svg.setAttribute('viewBox', '0 0 16 16')
  svg.setAttribute('aria-hidden', 'true')
  svg.setAttribute('class', `collage-icon collage-icon-${name}`)
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  path.setAttribute('d', PATHS[name])
  svg.append(path)
  return svg
}

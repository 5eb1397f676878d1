// Whole collages come in and go out as files: Python reads and writes them, asked through its nodes.
import { read } from './document.mjs'
import { keepResult, resultsOf } from './kept_results.mjs'

const ENDING = /\.(?:collage(?: ?\(\d+\))?\.zip|(psd|psb))$/i // a browser numbers what it downloads again
const EDITOR = 'collage-editor' // ids of asked nodes: no node of the page has them
const RESULT = 'collage-result'

/** Whether a file holds a whole collage, by its name. */
export const isCollageFile = (file) => ENDING.test(file.name)

/** 'psd', 'psb' or 'collage.zip', by the name of a file that holds a whole collage. */
export const endingOf = (name) => ENDING.exec(name)[1]?.toLowerCase() ?? 'collage.zip'

/**
 * The collage of a file takes the place of the one that is there, in one step that undo takes back.
 * @param {object} context of the view
 * @param {File} file
 * @param {boolean} first of several: that the others stay closed is said
 */
export async function openFile(context, file, first = false) {
  const { model, host, refuse, tell, text } = context
  const { name } = file
  let stored = ''
  tell('files.opening', { name }, { stays: true })
  try {
    stored = await host.upload(file, endingOf(name))
    const { document: [text], notes = [] } = await host.ask(
      'CollageOpenFile', { file: stored }, { waits: waits(context) })
    const { document, problems, readable } = read(text)
    if (!readable) throw new Error(problems[0])
    context.edit('open', () => document)
    model.choose([])
    if (first) notes.unshift(text('files.first'))
    const layers = document.layers.length
    tell(notes.length ? 'files.notes' : 'files.opened', { name, count: layers, notes: notes.join(' ') })
    context.focusCanvas()
  } catch (error) {
    const reason = error.message ?? String(error)
    refuse('files.refused', { name, reason: stored ? reason.replaceAll(stored, name) : reason })
  }
}

/** Says that a file is read or written after the run that is under way. */
const waits =
  ({ tell }) =>
  () =>
    tell('files.waiting', {}, { stays: true })

/** Writes the collage into a file of the output folder, and lets the browser keep it; in a PSD the result
    that is shown, or else the newest one, lies on top. */
export async function saveFile(context, format) {
  const { model, host, refuse, tell, text } = context
  tell('files.saving', {}, { stays: true })
  try {
    const before = { [EDITOR]: { class_type: 'CollageEditor', inputs: { document: model.text } } }
    const inputs = { collage: [EDITOR, 0], filename_prefix: 'collage/collage', format }
    const result = format === 'psd' ? await resultOf(context) : null
    if (result) {
      before[RESULT] = { class_type: 'LoadImage', inputs: { image: result.picture } }
      inputs.image = [RESULT, 0]
    }
    const { files: [file], notes = [] } = await host.ask('CollageSaveFile', inputs, { before, waits: waits(context) })
    host.download(file)
    if (result) notes.unshift(text('files.result', { title: result.title }))
    tell(notes.length ? 'files.notes' : 'files.saved', { name: file.filename, notes: notes.join(' ') })
  } catch (error) {
    refuse('files.notSaved', { reason: error.message ?? String(error) })
  }
}

/** The result for the top of a PSD, {picture, title}: as large as the canvas, and still there; else null. */
async function resultOf(context) {
  const { width, height } = context.model.document
  const fits = (one) => one?.width === width && one.height === height
  const found = [context.display.result, ...resultsOf(context)].find(fits)
  try {
    return found ? { picture: await keepResult(context.host, found), title: found.title } : null
  } catch {
    return null // its file is gone, and the message names no result
  }
}

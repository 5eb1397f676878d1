// Whole collages come in and go out as files: Python reads and writes them, asked through its nodes.
import { read } from './document.mjs'

const ENDING = /\.(collage\.zip|psd|psb)$/i
const EDITOR = 'collage-editor' // the id of the asked editor: no node of the page has it

/** Whether a file holds a whole collage, by its name. */
export const isCollageFile = (file) => ENDING.test(file.name)

/** The collage of a file takes the place of the one that is there, in one step that undo takes back. */
export async function openFile(context, file) {
  const { model, host, refuse, tell } = context
  const { name } = file
  tell('files.opening', { name })
  try {
    const stored = await host.upload(file, ENDING.exec(name)[1].toLowerCase())
    const { document: [text], notes = [] } = await host.ask('CollageOpenFile', { file: stored })
    const { document, problems, readable } = read(text)
    if (!readable) throw new Error(problems[0])
    context.edit('open', () => document)
    model.choose([])
    const layers = document.layers.length
    tell(notes.length ? 'files.notes' : 'files.opened', { name, count: layers, notes: notes.join(' ') })
    context.focusCanvas()
  } catch (error) {
    refuse('files.refused', { name, reason: error.message ?? String(error) })
  }
}

/** Writes the collage into a file of the output folder, and lets the browser keep it. */
export async function saveFile(context, format) {
  const { model, host, refuse, tell } = context
  tell('files.saving', {})
  try {
    const editor = { class_type: 'CollageEditor', inputs: { document: model.text } }
    const inputs = { collage: [EDITOR, 0], filename_prefix: 'collage/collage', format }
    const { files: [file], notes = [] } = await host.ask('CollageSaveFile', inputs, { [EDITOR]: editor })
    host.download(file)
    tell(notes.length ? 'files.notes' : 'files.saved', { name: file.filename, notes: notes.join(' ') })
  } catch (error) {
    refuse('files.notSaved', { reason: error.message ?? String(error) })
  }
}

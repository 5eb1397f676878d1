// Results of the nodes behind an editor, and their pictures stored beside those of the layers.
import { stored } from './adding.mjs'

/** Results of the nodes behind this editor, newest first; else the base of the edit that goes on. */
export function resultsOf({ host, model, pictures, text }) {
  const found = host.results?.list() ?? []
  const { edit } = model.document
  if (found.length || !edit) return found
  const { width, height } = pictures.get(edit.picture)
  return [{ url: host.viewUrl(edit.picture), title: text('result.base'), width, height, before: edit.before }]
}

/** Stores the picture of a result; -> its name in the input folder. */
export async function keepResult(host, { url, title }) {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${answer.status}`)
  const { blob, extension } = await stored(new File([await answer.blob()], title))
  return host.upload(blob, extension)
}

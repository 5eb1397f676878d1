// The state of one editor: the document of its widget, what is chosen in it, and the way back.
import { EMPTY, frozen, read, write } from './document.mjs'

const MOST_STEPS = 200 // that can be undone
const MOST_CHARACTERS = 8 * 1024 * 1024 // of all of them together

export class Model {
  #text = ''
  #committed = EMPTY // the document of #text
  #draft = null // the document while a gesture runs
  #problems = []
  #readable = true
  #refusal = ''
  #chosen = []
  #past = [] // {text, label}: what undo returns to, and the name of the step that it takes back
  #future = []
  #listeners = new Set()

  /** The document as it is seen now: the draft while a gesture runs. */
  get document() {
    return this.#draft ?? this.#committed
  }

  /** What the widget holds. */
  get text() {
    return this.#text
  }

  /** Sentences about what is wrong in the text; see `read`. */
  get problems() {
    return this.#problems
  }

  /** False while the widget holds a text that cannot be read: nothing may be written over it. */
  get readable() {
    return this.#readable
  }

  /** What would be wrong in the text of the last step, which was not made then; '' if it was made. */
  get refusal() {
    return this.#refusal
  }

  /** Ids of the chosen layers; the last one is the primary. */
  get chosen() {
    return this.#chosen
  }

  /** The layer whose controls are shown, or null. */
  get primary() {
    return this.document.layers.find((layer) => layer.id === this.#chosen.at(-1)) ?? null
  }

  get drafting() {
    return this.#draft !== null
  }

  get canUndo() {
    return this.#past.length > 0
  }

  get canRedo() {
    return this.#future.length > 0
  }

  /** Names of the steps that undo and redo would take; '' where there is none. */
  get undoLabel() {
    return this.#past.at(-1)?.label ?? ''
  }

  get redoLabel() {
    return this.#future.at(-1)?.label ?? ''
  }

  /**
   * Takes the text of the widget. The page's own undo and redo bring a text of the history, and are
   * a step in it; any other text is a step of its own, but the first one after an empty widget.
   */
  set(text) {
    const value = String(text ?? '')
    if (value === this.#text) return
    if (this.#past.at(-1)?.text === value) this.undo()
    else if (this.#future.at(-1)?.text === value) this.redo()
    else {
      if (this.#text || this.canUndo) this.#remember('')
      this.#take(value)
      this.#tell('document', '')
    }
  }

  /** Shows a change without making a step of it: change(document) -> document. */
  draft(change) {
    if (!this.#readable) return
    const next = frozen(change(this.document))
    if (next === this.document) return
    this.#draft = next
    this.#keepChoice()
    this.#tell('draft', '')
  }

  /**
   * Makes one step of all drafts since the last one, unless its text could not be read again as it
   * is: see `refusal`; -> whether the text has changed.
   */
  commit(label = '') {
    const drafted = this.#draft
    this.#draft = null
    this.#refusal = ''
    if (drafted === null) return false
    const text = write(drafted)
    const same = text === write(this.#committed)
    if (!same) this.#refusal = read(text).problems[0] ?? ''
    if (same || this.#refusal) {
      this.#keepChoice()
      this.#tell('draft', '')
      return false
    }
    this.#remember(label)
    this.#take(text)
    this.#tell('document', label)
    return true
  }

  /** Drops the drafts since the last step. */
  cancel() {
    if (this.#draft === null) return
    this.#draft = null
    this.#keepChoice()
    this.#tell('draft', '')
  }

  /** A draft and its commit in one. */
  edit(label, change) {
    this.draft(change)
    return this.commit(label)
  }

  undo() {
    return this.#step(this.#past, this.#future)
  }

  redo() {
    return this.#step(this.#future, this.#past)
  }

  /** Chooses these layers and no others; ids that the document does not have are left out. */
  choose(ids) {
    const known = new Set(this.document.layers.map((layer) => layer.id))
    const chosen = [...new Set(ids)].filter((id) => known.has(id))
    if (chosen.join() === this.#chosen.join()) return
    this.#chosen = Object.freeze(chosen)
    this.#tell('choice', '')
  }

  /** listener({what: 'document' | 'draft' | 'choice', label}) -> the function that ends it. */
  subscribe(listener) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #step(from, to) {
    this.cancel()
    const entry = from.pop()
    if (!entry) return false
    to.push({ text: this.#text, label: entry.label })
    this.#take(entry.text)
    this.#tell('document', entry.label)
    return true
  }

  #take(text) {
    const { document, problems, readable } = read(text)
    this.#text = text
    this.#committed = document
    this.#draft = null
    this.#problems = problems
    this.#readable = readable
    this.#keepChoice()
  }

  #keepChoice() {
    const known = new Set(this.document.layers.map((layer) => layer.id))
    if (this.#chosen.some((id) => !known.has(id))) {
      this.#chosen = Object.freeze(this.#chosen.filter((id) => known.has(id)))
    }
  }

  #remember(label) {
    this.#past.push({ text: this.#text, label })
    this.#future = []
    let characters = this.#past.reduce((sum, entry) => sum + entry.text.length, 0)
    while (this.#past.length > MOST_STEPS || (characters > MOST_CHARACTERS && this.#past.length > 1)) {
      characters -= this.#past.shift().text.length
    }
  }

  #tell(what, label) {
    for (const listener of [...this.#listeners]) listener({ what, label })
  }
}

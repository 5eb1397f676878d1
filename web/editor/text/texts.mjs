// The editor's texts in the language of the page.
import en from './en.mjs'
import zh from './zh.mjs'

const LANGUAGES = { en, zh }

/** The texts of a locale such as 'zh' or 'zh-TW'; English where the editor does not speak it. */
export const textsOf = (locale) => LANGUAGES[String(locale).toLowerCase().split(/[-_]/)[0]] ?? en

/**
 * @param {string} locale ComfyUI's setting Comfy.Locale
 * @returns {(key: string, values?: object) => string} the text, its {placeholders} filled in;
 *   a key without a text shows itself
 */
export function createTexts(locale) {
  const texts = textsOf(locale)
  return (key, values = {}) => {
    return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) =>
      Object.hasOwn(values, name) ? values[name] : whole,
    )
  }
}

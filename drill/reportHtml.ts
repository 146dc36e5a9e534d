/** Markup from parts of a record: whatever is not markup of our own is text, escaped and printable. Pure. */

/** Of this class, so that no object of a record that was read from a file passes for markup. */
export class Html {
  readonly #markup: string
  constructor(markup: string) {
    this.#markup = markup
  }
  toString(): string {
    return this.#markup
  }
}

export type Content = Html | string | number | readonly Content[]

/** Template tag, for HTML and for SVG within it: every value is escaped but markup of this module. Values belong in text or quoted attributes only. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(strings.reduce((all, part, i) => all + markupOf(values[i - 1] as Content) + part))
}

function markupOf(content: Content): string {
  if (content instanceof Html) return content.toString()
  if (Array.isArray(content)) return content.map(markupOf).join('')
  return escapeHtml(String(content))
}

export const NOTHING = new Html('')

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Good in text and in quoted attributes. */
export function escapeHtml(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/**
 * Control and format characters made visible: a hostile text neither drives a terminal nor turns the reading direction around. One line,
 * for line ends become spaces.
 */
export function printable(text: string): string {
  return text
    .replace(/\r\n|[\r\n\t]/g, ' ')
    .replace(
      /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
      (one) => `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
    )
}

/** At most `limit` characters, and says how many there were. */
export function shorten(text: string, limit: number): string {
  const all = [...text]
  if (all.length <= limit) return text
  return limit < 40
    ? `${all.slice(0, limit - 1).join('')}…`
    : `${all.slice(0, limit).join('')}… (${all.length} characters)`
}

/** Tables of the page, badges, and what to say of rows that are not shown. Pure. */
import { plural } from './reportFormat.ts'
import { type Content, type Html, html, NOTHING } from './reportHtml.ts'

/** The first cell of a row is its heading. `numeric`: columns by index. `folded`: opened by the reader. */
export type Table = Readonly<{
  caption: string
  heads: readonly string[]
  numeric?: readonly number[]
  rows: readonly (readonly Content[])[]
  folded?: boolean
}>

/** Scrolls by itself, with the keyboard too, where the page is narrower. Roles are said, for a narrow page shows rows as blocks. */
export function drawTable({ caption, heads, numeric = [], rows, folded = false }: Table): Html {
  const side = (column: number) => (numeric.includes(column) ? 'number' : 'text')
  const headRow = heads.map((head, i) => html`<th scope="col" role="columnheader" class="${side(i)}">${head}</th>`)
  const cellOf = (cell: Content, i: number) =>
    i === 0
      ? html`<th scope="row" role="rowheader">${cell}</th>`
      : html`<td role="cell" class="${side(i)}" data-head="${heads[i] ?? ''}"><div>${cell}</div></td>`
  const bodyRows = rows.map((row) => html`<tr role="row">${row.map(cellOf)}</tr>`)
  const table = html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table role="table"><caption>${caption}</caption><thead role="rowgroup"><tr role="row">${headRow}</tr></thead><tbody role="rowgroup">${bodyRows}</tbody></table></div>`
  return folded ? html`<details><summary>${caption} (${plural(rows.length, 'row')})</summary>${table}</details>` : table
}

/** A sign, a word, and a colour for those who see it. */
export const badge = (good: boolean, word: string) =>
  html`<span class="badge ${good ? 'good' : 'bad'}"><span aria-hidden="true">${good ? '✓' : '✗'}</span> ${word}</span>`

export function leftOut(count: number, what: string, order: string): Html {
  if (count <= 0) return NOTHING
  return html`<p class="fine">${plural(count, `more ${what}`)} left out here; ${order}. The JSON record has them all.</p>`
}

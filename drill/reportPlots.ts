/** Bars: one row each, a label and a value in words beside it. Drawn once for wide, once for narrow pages. Pure. */
import { ratio } from './reportFigures.ts'
import { type Html, html, NOTHING, shorten } from './reportHtml.ts'

export type Tone = 'good' | 'bad' | 'plain' | 'muted'

/** `mark`: a line across the bar, the amount that it is held against. `behind`: a pale bar behind. */
export type BarRow = Readonly<{
  label: string
  value: bigint
  said: string
  tone: Tone
  mark?: bigint
  behind?: bigint
}>

export type BarChart = Readonly<{ id: string; title: string; rows: readonly BarRow[]; width?: number }>

const NARROW = 330
const LABEL = 150
const SAID = 170
const MAX_LABEL = 22

export function drawBars(chart: BarChart): Html {
  if (chart.rows.length === 0) return NOTHING
  return html`<div class="on-wide">${drawWide(chart)}</div><div class="on-narrow">${drawNarrow(chart)}</div>`
}

/** Of all that is drawn; a chart of nothing but zeroes has empty bars. */
function largestOf(rows: readonly BarRow[]): bigint {
  return rows
    .flatMap(({ value, mark = 0n, behind = 0n }) => [value, mark, behind])
    .reduce((a, b) => (a > b ? a : b), 0n)
}

function drawWide({ id, title, rows, width = 1080 }: BarChart): Html {
  const largest = largestOf(rows)
  const height = rows.length * 24 + 6
  const room = width - LABEL - SAID
  return html`<svg class="bars" role="img" aria-labelledby="${id}-wide" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><title id="${id}-wide">${title}</title>${rows.map(
    (row, i) => {
      const y = i * 24 + 4
      return html`<g><title>${row.label}: ${row.said}</title><text class="gutter" x="${LABEL - 8}" y="${y + 14}" text-anchor="end">${shorten(row.label, MAX_LABEL)}</text>${drawBar(row, { x: LABEL, y, room, largest })}<text class="small" x="${LABEL + room + 8}" y="${y + 14}">${row.said}</text></g>`
    },
  )}</svg>`
}

function drawNarrow({ id, title, rows }: BarChart): Html {
  const largest = largestOf(rows)
  const height = rows.length * 40 + 4
  return html`<svg class="bars" role="img" aria-labelledby="${id}-narrow" viewBox="0 0 ${NARROW} ${height}" width="${NARROW}" height="${height}"><title id="${id}-narrow">${title}</title>${rows.map(
    (row, i) => {
      const y = i * 40
      return html`<g><text class="gutter" x="2" y="${y + 14}">${shorten(row.label, MAX_LABEL)}</text><text class="small" x="${NARROW - 2}" y="${y + 14}" text-anchor="end">${row.said}</text>${drawBar(row, { x: 2, y: y + 18, room: NARROW - 4, largest })}</g>`
    },
  )}</svg>`
}

type Place = Readonly<{ x: number; y: number; room: number; largest: bigint }>

function drawBar({ value, mark, behind, tone }: BarRow, { x, y, room, largest }: Place): Html {
  const long = (amount: bigint) => round(ratio(amount, largest) * room)
  const at = mark === undefined ? 0 : x + long(mark)
  return html`<rect class="track" x="${x}" y="${y}" width="${room}" height="18" rx="2"/>${behind === undefined ? NOTHING : html`<rect class="behind" x="${x}" y="${y}" width="${long(behind)}" height="18" rx="2"/>`}<rect class="tone-${tone}" x="${x}" y="${y + 4}" width="${long(value)}" height="10"/>${mark === undefined ? NOTHING : html`<line class="owed" x1="${at}" x2="${at}" y1="${y}" y2="${y + 18}"/>`}`
}

const round = (value: number) => Math.round(value * 10) / 10

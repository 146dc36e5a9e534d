/** A drill over L1 time: milestones as flags, periods as rulers, what everybody did in lanes. Drawn once for wide, once for narrow pages. Pure. */
import type { DrillRecord, EntryKind, TimelineEntry } from './record.ts'
import { stepsOf } from './reportFigures.ts'
import { formatBlocks, formatDuration } from './reportFormat.ts'
import { type Html, html, NOTHING, shorten } from './reportHtml.ts'
import { type Lane, lanesOf, type Window, windowOf } from './reportLanes.ts'
import { type Cluster, clusterBy, createRows, createScale, type Scale, timeTicks } from './reportScale.ts'

export type Shape = 'wide' | 'narrow'

const WIDTH: Readonly<Record<Shape, number>> = { wide: 1080, narrow: 330 }
const GUTTER: Readonly<Record<Shape, number>> = { wide: 172, narrow: 6 }
const RIGHT = 18
const ROW = 20
const FLAG_ROW = 19
const CHARACTER = 7.3
const GAP = 19
const TITLE_TEXTS = 8
const RULER_TEXT = 90
const MAX_LABEL = 22

/** Periods that a reader meets, in the order of their length on most deployments. */
const RULERS = [
  ['minExitPeriod', 'Exit period (MEP)'],
  ['dataChallengePeriod', 'Time to demand data (DC)'],
  ['dataResponsePeriod', 'Time to show data (DR)'],
  ['reaction', 'Time to react'],
] as const

type Drawing = Readonly<{ markup: Html; height: number }>
type Frame = Readonly<{ shape: Shape; x: Scale; left: number; right: number; window: Window }>

/** `id` is unique on the page. */
export function drawTimeline(record: DrillRecord, id: string): Html {
  return html`<div class="on-wide">${drawShape(record, `${id}-wide`, 'wide')}</div>
<div class="on-narrow">${drawShape(record, `${id}-narrow`, 'narrow')}</div>`
}

function drawShape(record: DrillRecord, id: string, shape: Shape): Html {
  const window = windowOf(record)
  const width = WIDTH[shape]
  const left = GUTTER[shape]
  const right = width - RIGHT
  const x = createScale([window.from, window.to], [left + 8, right])
  const frame: Frame = { shape, x, left, right, window }

  const flags = flagsOf(record, frame)
  let y = flags.rows * FLAG_ROW + 12
  const top = y
  const rulers = drawRulers(record, frame, y)
  y += rulers.height
  const lanes = lanesOf(record).map((lane) => {
    const drawn = drawLane(lane, frame, y)
    y += drawn.height
    return drawn
  })
  const bottom = y + 4
  const axis = drawAxis(frame, bottom)
  return html`<svg class="timeline" role="img" aria-labelledby="${id}-t ${id}-d" viewBox="0 0 ${width} ${bottom + axis.height}" width="${width}" height="${bottom + axis.height}">
<title id="${id}-t">Timeline of ${record.scenario}</title>
<desc id="${id}-d">${describeTimeline(record)}</desc>
${lanes.map(({ band }) => band)}${drawFlags(flags.placed, { top, bottom })}${rulers.markup}${lanes.map(({ markup }) => markup)}${axis.markup}
</svg>`
}

function describeTimeline(record: DrillRecord): string {
  const told = stepsOf(record).flatMap(({ label, sinceFault }) => (sinceFault ? [`${label} ${sinceFault}.`] : []))
  return `Events by actor over L1 time. ${told.join(' ')} The table of events has the same as text.`
}

type Flag = Readonly<{ x: number; labelX: number; row: number; text: string; name: string; title: string }>

function flagsOf(record: DrillRecord, { x, right, shape }: Frame): Readonly<{ placed: readonly Flag[]; rows: number }> {
  const rowOf = createRows()
  const placed = stepsOf(record).flatMap(({ name, label, at, blocks, meaning, sinceFault }) => {
    if (!at) return []
    const text = blocks === null ? label : `${label} ${blocks < 0 ? '−' : '+'}${formatBlocks(Math.abs(blocks))}`
    const width = text.length * CHARACTER + 12
    const at0 = x(at.time)
    const labelX = Math.max(2, Math.min(at0, right + (shape === 'wide' ? RIGHT : RIGHT - 2) - width))
    const title = `${label}: ${meaning}. Block ${at.block}${sinceFault ? `, ${sinceFault}` : ''}`
    return [{ x: at0, labelX, row: rowOf(labelX, labelX + width), text, name, title }]
  })
  return { placed, rows: placed.reduce((most, { row }) => Math.max(most, row + 1), 0) }
}

function drawFlags(flags: readonly Flag[], { top, bottom }: Readonly<{ top: number; bottom: number }>): Html[] {
  return flags.map(({ x, labelX, row, text, name, title }) => {
    const y = row * FLAG_ROW
    return html`<g class="flag flag-${name}"><title>${title}</title><line x1="${round(x)}" x2="${round(x)}" y1="${y + 15}" y2="${bottom}"/><rect x="${round(labelX)}" y="${y + 1}" width="${round(text.length * CHARACTER + 8)}" height="16" rx="3"/><text x="${round(labelX + 4)}" y="${y + 13}">${text}</text><circle cx="${round(x)}" cy="${top - 4}" r="3"/></g>`
  })
}

function drawRulers({ periods }: DrillRecord, { x, left, right, shape, window }: Frame, top: number): Drawing {
  const known = RULERS.flatMap(([key, label]) => {
    const seconds = periods[key]
    return seconds !== undefined && seconds > 0 ? [{ label, seconds }] : []
  })
  if (known.length === 0) return { markup: NOTHING, height: 0 }
  const height = shape === 'wide' ? 18 : 27
  const bars = known.map(({ label, seconds }, i) => {
    const y = top + 6 + i * height
    const from = x(window.zero)
    const to = x(window.zero + seconds)
    const beyond = window.zero + seconds > window.to
    const said = `${formatDuration(seconds)}${beyond ? ', longer than what is drawn' : ''}`
    const barY = shape === 'wide' ? y + 3 : y + 15
    const shown = `${formatDuration(seconds)}${beyond ? ' →' : ''}`
    // Behind the bar where there is room, else on it.
    const [at, anchor] = to + RULER_TEXT < right ? [to + 5, 'start'] : [right - 4, 'end']
    const name =
      shape === 'wide'
        ? html`<text class="gutter" x="${left - 6}" y="${y + 12}" text-anchor="end">${label}</text><text class="small" x="${round(at)}" y="${y + 11}" text-anchor="${anchor}">${shown}</text>`
        : html`<text class="small" x="${left}" y="${y + 11}">${label}: ${shown}</text>`
    return html`<g class="ruler"><title>${label}: ${said}, drawn from the fault on</title><rect x="${round(from)}" y="${barY}" width="${round(Math.max(to - from, 1))}" height="9"/>${name}</g>`
  })
  return { markup: html`${bars}`, height: known.length * height + 14 }
}

/** Alerts and faults above, what goes to L1 in the middle, money below: kinds never cover each other. */
const SUB_ROW: Readonly<Record<EntryKind, number>> = {
  fault: 0,
  alert: 0,
  milestone: 1,
  note: 1,
  transaction: 1,
  payment: 2,
}

/** The band apart: lines of milestones run over it and below the marks. */
function drawLane({ label, entries }: Lane, frame: Frame, top: number): Drawing & Readonly<{ band: Html }> {
  const { shape, left, right } = frame
  const used = [...new Set(entries.map(({ kind }) => SUB_ROW[kind] ?? 1))].sort((a, b) => a - b)
  const labelHeight = shape === 'wide' ? 0 : 14
  const height = Math.max(used.length, 1) * ROW + labelHeight + 6
  const marks = used.flatMap((row, i) => {
    const y = top + labelHeight + 3 + i * ROW + ROW / 2
    const own = entries.filter(({ kind }) => (SUB_ROW[kind] ?? 1) === row)
    return clusterBy(own, ({ at }) => frame.x(at.time), GAP).map((cluster) => drawMark(cluster, y, frame))
  })
  const name =
    shape === 'wide'
      ? html`<text class="gutter" x="${left - 6}" y="${top + height / 2 + 4}" text-anchor="end">${shorten(label, MAX_LABEL)}</text>`
      : html`<text class="gutter" x="${left}" y="${top + 13}">${shorten(label, MAX_LABEL * 2)}</text>`
  const band = html`<rect class="band" x="${left}" y="${top + 1}" width="${right - left + RIGHT - 6}" height="${height - 2}" rx="3"/>`
  const markup = html`<g class="lane">${name}${marks}</g>`
  return { band, markup, height }
}

/** In a mixed cluster the gravest kind gives the shape. */
const GRAVITY: readonly EntryKind[] = ['fault', 'alert', 'payment', 'transaction', 'milestone', 'note']

function drawMark({ x, members }: Cluster<TimelineEntry>, y: number, { window }: Frame): Html {
  const kind = GRAVITY.find((one) => members.some((entry) => entry.kind === one)) ?? 'note'
  const told = members.slice(0, TITLE_TEXTS).map((entry) => sayEntry(entry, window))
  const more = members.length - told.length
  const title = [...told, ...(more > 0 ? [`and ${more} more`] : [])]
  const count = members.length > 99 ? '99+' : String(members.length)
  const many = members.length > 1
  return html`<g class="mark kind-${kind}" transform="translate(${round(x)} ${round(y)})"><title>${title.join(' | ')}</title>${drawSymbol(kind, many ? (members.length > 99 ? 1.9 : 1.6) : 1)}${many ? html`<text class="count${count.length > 2 ? ' long' : ''}" y="3.5" text-anchor="middle">${count}</text>` : NOTHING}</g>`
}

function sayEntry({ at, actor, text }: TimelineEntry, { zero }: Window): string {
  return `block ${at.block}, ${sayOffset(at.time - zero)}, ${shorten(actor, 60)}: ${shorten(text, 160)}`
}

/** Told apart by shape; colour only helps. Round (0, 0), of about 5 units. */
export function drawSymbol(kind: EntryKind, size = 1): Html {
  const scaled = size === 1 ? NOTHING : html` transform="scale(${size})"`
  switch (kind) {
    case 'fault':
      return html`<path d="M0-6 6 5H-6Z"${scaled}/>`
    case 'alert':
      return html`<path d="M0-6 6 0 0 6-6 0Z"${scaled}/>`
    case 'payment':
      return html`<path d="M-5-5H5V5H-5Z"${scaled}/>`
    case 'note':
      return html`<path d="M-5-1.5H5V1.5H-5Z"${scaled}/>`
    case 'milestone':
      return html`<path d="M-3-6H5L2-3 5 0H-1V6H-3Z"${scaled}/>`
    default:
      return html`<circle r="5"${scaled}/>`
  }
}

function drawAxis({ x, left, right, shape, window }: Frame, top: number): Drawing {
  const { from, to, zero } = window
  const ticks = timeTicks(from - zero, to - zero, shape === 'wide' ? 9 : 4).map((offset) => {
    const at = x(zero + offset)
    const anchor = at > right - 30 ? 'end' : at < left + 30 && shape === 'narrow' ? 'start' : 'middle'
    return html`<line x1="${round(at)}" x2="${round(at)}" y1="${top}" y2="${top + 5}"/><text x="${round(at)}" y="${top + 18}" text-anchor="${anchor}">${sayOffset(offset)}</text>`
  })
  const markup = html`<g class="axis"><line x1="${left}" x2="${right + RIGHT - 6}" y1="${top}" y2="${top}"/>${ticks}</g>`
  return { markup, height: 26 }
}

const sayOffset = (seconds: number) =>
  seconds === 0 ? '0' : `${seconds < 0 ? '−' : '+'}${formatDuration(Math.abs(seconds))}`

const round = (value: number) => Math.round(value * 10) / 10

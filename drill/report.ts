/**
 * The report of drills: one HTML page that fetches nothing and is read without scripts, for people who are no protocol engineers.
 * What it says comes from records alone (drill/record.ts) and is escaped. Pure.
 */
import { formatUtc } from '../service/utc.ts'
import type { DrillRecord, RaisedAlert } from './record.ts'
import { l1Name, lossesOf, ruleOf, stepsOf, totalGas, verdictOf } from './reportFigures.ts'
import { formatDuration, formatSpan, groupDigits, plural, shortCount } from './reportFormat.ts'
import { type Html, html, NOTHING, shorten } from './reportHtml.ts'
import { KINDS, kindLabel, mostTelling, windowOf } from './reportLanes.ts'
import { drawBalances, drawCosts } from './reportMoney.ts'
import { PAGE_SCRIPT, PAGE_STYLE, scriptHash } from './reportStyle.ts'
import { badge, drawTable, leftOut } from './reportTable.ts'
import { drawSymbol, drawTimeline } from './reportTimeline.ts'

const MAX_EVENTS = 400
const OPEN_EVENTS = 25
const MAX_ALERTS = 100
const MAX_TEXT = 400

/** A whole page, the verdict first. Throws RECORD_INVALID where an amount of a record is no number. */
export function renderDrillReport(records: readonly DrillRecord[]): string {
  const [only] = records
  const failed = records.filter((record) => !verdictOf(record).passed).length
  const alone = records.length === 1 && only !== undefined
  const title = alone
    ? `${verdictOf(only).passed ? 'Passed' : 'Failed'}: ${only.title}`
    : sayAll(records.length, failed)
  const body = html`<a class="skip" href="#drills">Skip to the drills</a>
<header class="page" id="overview"><p class="brand">Lifeboat drill report</p>${alone ? NOTHING : html`<h1>${title}</h1>${drawOverview(records)}`}</header>
<main id="drills">${records.map((record, i) => drawDrill(record, { id: drillId(i), alone }))}</main>
<footer><p>Made from the drill’s JSON record. Times and blocks are those of L1; a fault is something that the drill broke on purpose.</p></footer>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src '${scriptHash()}'; base-uri 'none'; form-action 'none'">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">
${html`<title>${shorten(title, 120)} – Lifeboat drill report</title>`}
<style>${PAGE_STYLE}</style></head>
<body>
${body}
<script>${PAGE_SCRIPT}</script>
</body></html>
`
}

function sayAll(count: number, failed: number): string {
  if (count === 0) return 'No drill was run'
  return failed === 0 ? `All ${count} drills passed` : `${failed} of ${count} drills failed`
}

const drillId = (index: number) => `drill-${index + 1}`

function drawOverview(records: readonly DrillRecord[]): Html {
  if (records.length === 0) return html`<p>There is nothing to show: the report was made of no record.</p>`
  const failed = records.flatMap((record, i) => (verdictOf(record).passed ? [] : [{ record, id: drillId(i) }]))
  return html`${failed.length === 0 ? NOTHING : html`<p class="bad-note"><strong>Failed:</strong> ${failed.map(({ record, id }, i) => html`${i > 0 ? ', ' : ''}<a href="#${id}">${record.scenario}</a>`)}.</p>`}
${drawTable({
  caption: 'All drills: L1 blocks from the fault until it was detected, acted upon, until all was secured, and paid',
  heads: ['Drill', 'Verdict', 'Detect', 'Act', 'Secure', 'Pay', 'Owners that lost', 'Gas, all', 'Owners', 'Seed'],
  numeric: [2, 3, 4, 5, 6, 7, 8, 9],
  rows: records.map((record, i) => {
    const { passed } = verdictOf(record)
    const lost = new Set(lossesOf(record).map(({ balance }) => balance.owner)).size
    return [
      html`<a href="#${drillId(i)}">${record.scenario}</a><small>${record.title}</small>`,
      badge(passed, passed ? 'passed' : 'failed'),
      ...stepsOf(record)
        .slice(1)
        .map(({ blocks }) => (blocks === null ? '–' : groupDigits(blocks))),
      groupDigits(lost),
      shortCount(totalGas(record)),
      groupDigits(record.owners),
      String(record.seed),
    ]
  }),
})}`
}

type Place = Readonly<{ id: string; alone: boolean }>

function drawDrill(record: DrillRecord, { id, alone }: Place): Html {
  const { passed, headline, reasons } = verdictOf(record)
  const heading = html`<span class="sign" aria-hidden="true">${passed ? '✓' : '✗'}</span> ${headline}`
  const sections = [
    ['judged', 'Judged'],
    ['time', 'Time'],
    ['money', 'Balances'],
    ['costs', 'Costs'],
    ['alerts', 'Alerts'],
  ] as const
  return html`<article id="${id}" aria-labelledby="${id}-name">
<div class="verdict ${passed ? 'good' : 'bad'}">
<p class="name" id="${id}-name"><strong>${record.title}</strong> <code>${record.scenario}</code></p>
${alone ? html`<h1>${heading}</h1>` : html`<h2>${heading}</h2>`}
<p>${reasons.map((reason) => html`${shorten(reason, MAX_TEXT)} `)}</p>
</div>
<p class="story">${record.story}</p>
${drawFacts(record)}
<nav aria-label="Parts of ${record.scenario}">${sections.map(([part, label]) => html`<a href="#${id}-${part}">${label}</a> `)}${alone ? NOTHING : html`<a href="#overview">All drills ↑</a>`}</nav>
<section><h3 id="${id}-judged">What was judged</h3>${drawFindings(record)}</section>
<section><h3 id="${id}-time">What happened when</h3>${drawSteps(record)}${drawEvents(record, id)}</section>
<section><h3 id="${id}-money">What owners had, are owed, and have</h3>${drawBalances(record, `${id}-balance`)}</section>
<section><h3 id="${id}-costs">What it cost whom</h3>${drawCosts(record, `${id}-costs`)}</section>
<section><h3 id="${id}-alerts">What watchers said</h3>${drawAlerts(record)}</section>
</article>`
}

function drawFacts(record: DrillRecord): Html {
  const { l1, owners, seed, reproduce } = record
  return html`<dl class="facts"><div><dt>Played on</dt><dd>${l1Name(record)}</dd></div><div><dt>Owners</dt><dd>${groupDigits(owners)}</dd></div><div><dt>Seed</dt><dd>${String(seed)}</dd></div><div><dt>Lasted</dt><dd>${formatSpan(l1.start, l1.end)}</dd></div><div><dt>Began, by L1’s clock</dt><dd>${formatUtc(l1.start.time)}</dd></div></dl>
<div class="again"><span>Run it again:</span> <code>${reproduce}</code><button type="button" hidden>Copy</button></div>`
}

function drawFindings({ findings }: DrillRecord): Html {
  if (findings.length === 0) return html`<p class="bad-note">The record has no finding: nothing was judged.</p>`
  const ordered = [...findings].sort((a, b) => Number(a.held) - Number(b.held))
  return drawTable({
    caption: 'Rules that must hold (docs/invariants.md), broken ones first',
    heads: ['Rule', 'Verdict', 'What was found'],
    rows: ordered.map(({ invariant, held, detail }) => [
      html`${ruleOf(invariant)}<small>${invariant}</small>`,
      badge(held, held ? 'holds' : 'broken'),
      shorten(detail, MAX_TEXT * 2),
    ]),
  })
}

function drawSteps(record: DrillRecord): Html {
  return html`<ol class="steps">${stepsOf(record).map(
    ({ name, label, meaning, at, sinceFault, sinceBefore }) =>
      html`<li class="step-${name}${at ? '' : ' never'}"><strong>${label}</strong> <small>${meaning}</small>${
        at
          ? html`<span class="when">${sinceFault ?? `block ${groupDigits(at.block)}`}</span>${sinceFault ? html`<span>block ${groupDigits(at.block)}${sinceBefore ? html`; ${sinceBefore}` : NOTHING}</span>` : html`<span>${formatUtc(at.time)}</span>`}`
          : html`<span class="when">did not happen</span>`
      }</li>`,
  )}</ol>`
}

function drawEvents(record: DrillRecord, id: string): Html {
  const { timeline, milestones } = record
  if (timeline.length === 0) return html`<p>The record has no events.</p>`
  const window = windowOf(record)
  const shown = mostTelling(timeline, MAX_EVENTS)
  const since = milestones.fault ? 'After the fault' : 'After the start'
  return html`<figure>${drawTimeline(record, `${id}-timeline`)}<figcaption><p class="legend">${KINDS.filter(({ kind }) => kind !== 'milestone' && timeline.some((entry) => entry.kind === kind)).map(({ kind, label }) => html`<span><svg class="key" viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true"><g class="mark kind-${kind}">${drawSymbol(kind)}</g></svg> ${label}</span> `)}<span>a number: so many at once</span></p><p class="fine">${milestones.fault ? 'Time runs from the fault (0), by L1’s clock; periods are drawn from there as rulers.' : 'Time runs from the start, by L1’s clock.'}${window.before > 0 ? ` ${plural(window.before, 'event')} of the preparation left out of the drawing.` : ''}</p></figcaption></figure>
${drawTable({
  caption: 'Events in order',
  heads: ['Block', since, 'Who', 'Kind', 'What'],
  numeric: [],
  folded: shown.length > OPEN_EVENTS,
  rows: shown.map(({ at, actor, kind, text }) => [
    groupDigits(at.block),
    formatDuration(at.time - window.zero),
    shorten(actor, 60),
    kindLabel(kind),
    shorten(text, MAX_TEXT),
  ]),
})}${leftOut(timeline.length - shown.length, 'event', 'faults, notes and alerts come first')}`
}

type AlertRow = { first: RaisedAlert; last: RaisedAlert; times: number }

function drawAlerts({ alerts }: DrillRecord): Html {
  if (alerts.length === 0) return html`<p>No watcher raised an alert.</p>`
  const rows = new Map<string, AlertRow>()
  for (const alert of alerts) {
    const key = JSON.stringify([alert.watcher, alert.code, alert.severity, alert.subject])
    const row = rows.get(key)
    if (row) Object.assign(row, { last: alert, times: row.times + 1 })
    else rows.set(key, { first: alert, last: alert, times: 1 })
  }
  const all = [...rows.values()].sort((a, b) => gravity(a.first) - gravity(b.first))
  return html`${drawTable({
    caption: 'Alerts, the gravest first',
    heads: ['Alert', 'Severity', 'Watcher', 'First', 'Times', 'About'],
    numeric: [4],
    rows: all
      .slice(0, MAX_ALERTS)
      .map(({ first, times }) => [
        html`<code>${shorten(first.code, 60)}</code>`,
        shorten(first.severity, 30),
        shorten(first.watcher, 60),
        html`block ${groupDigits(first.at.block)}<small>${formatUtc(first.at.time)}</small>`,
        groupDigits(times),
        shorten(first.subject, MAX_TEXT),
      ]),
  })}${leftOut(all.length - MAX_ALERTS, 'alert', 'the gravest come first')}`
}

const SEVERITIES: readonly string[] = ['critical', 'warning', 'info']

/** A severity that nobody knows comes first. */
const gravity = ({ severity }: RaisedAlert) => SEVERITIES.indexOf(severity)

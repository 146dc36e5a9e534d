/** A drill's record in short lines for a terminal, and many of them as a Markdown table (docs/drills.md). Pure. */
import type { DrillRecord, RaisedAlert } from './record.ts'
import { l1Name, lossesOf, ruleOf, stepsOf, sumByRole, verdictOf } from './reportFigures.ts'
import { ETH, exactAmount, formatSpan, plural, shortAmount, shortCount, unitOf } from './reportFormat.ts'
import { printable, shorten } from './reportHtml.ts'

const MAX_LOSSES = 8
const MAX_TEXT = 300

/** Lines without line ends or control characters, the verdict first. */
export function describeDrill(record: DrillRecord): string[] {
  const { scenario, story, seed, owners, l1, findings, alerts, reproduce } = record
  const { passed, headline } = verdictOf(record)
  const losses = lossesOf(record)
  return [
    `${scenario}: ${headline}`,
    `  ${story}`,
    `  ${plural(owners, 'owner')}, seed ${seed}, ${l1Name(record)}, ${formatSpan(l1.start, l1.end)} in all`,
    ...losses
      .slice(0, MAX_LOSSES)
      .map(({ balance, missing }) => `  lost: ${balance.owner} lacks ${exactAmount(missing, unitOf(balance))}`),
    ...(losses.length > MAX_LOSSES ? [`  lost: ${plural(losses.length - MAX_LOSSES, 'more balance')}`] : []),
    ...findings
      .filter(({ held }) => !held)
      .map(({ invariant, detail }) => `  broken: ${invariant} (${ruleOf(invariant)}): ${shorten(detail, MAX_TEXT)}`),
    ...(findings.length === 0 ? ['  broken: nothing was judged'] : []),
    ...(passed && findings.length > 0
      ? [`  held: ${[...new Set(findings.map(({ invariant }) => invariant))].join(', ')}`]
      : []),
    ...stepsOf(record)
      .slice(1)
      .map(
        ({ label, at, sinceFault }) =>
          `  ${label.toLowerCase()}: ${at ? (sinceFault ?? `block ${at.block}`) : 'did not happen'}`,
      ),
    ...sumByRole(record).map(
      ({ role, many, actors, gas, costWei }) =>
        `  gas of ${actors === 1 ? `the ${role}` : `${actors} ${many}`}: ${shortCount(gas)}, ${shortAmount(costWei, ETH)}`,
    ),
    `  alerts: ${sayAlerts(alerts)}`,
    `  again: ${reproduce}`,
  ].map(printable)
}

function sayAlerts(alerts: readonly RaisedAlert[]): string {
  if (alerts.length === 0) return 'none'
  const counts = new Map<string, number>()
  for (const { code } of alerts) counts.set(code, (counts.get(code) ?? 0) + 1)
  return [...counts]
    .map(([code, count]) => (count === 1 ? shorten(code, 60) : `${shorten(code, 60)} ${count} times`))
    .join(', ')
}

const HEADINGS = ['Scenario', 'Blocks to detect', 'to act', 'to secure', 'to pay', 'Gas by role', 'Verdict'] as const

/** One row a record; blocks of L1 since the fault, "-" for what did not happen. */
export function drillTable(records: readonly DrillRecord[]): string {
  const rows = records.map((record) => {
    const blocks = stepsOf(record)
      .slice(1)
      .map((step) => (step.blocks === null ? '-' : String(step.blocks)))
    const gas = sumByRole(record).map(
      ({ role, many, actors, gas }) => `${actors === 1 ? role : `${actors} ${many}`} ${shortCount(gas)}`,
    )
    return [record.scenario, ...blocks, gas.join(', ') || '-', verdictOf(record).passed ? 'passed' : '**failed**']
  })
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(HEADINGS),
    line(['---', '--:', '--:', '--:', '--:', '---', '---']),
    ...rows.map(([name = '', ...rest]) => line([escapeMarkdown(name), ...rest])),
  ].join('\n')
}

const escapeMarkdown = (text: string) => printable(text).replace(/[\\|`*_[\]<>&]/g, (one) => `\\${one}`)

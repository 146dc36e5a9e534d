/** Balances and costs of a drill: plots that stay readable with ten thousand owners, tables that are exact to the smallest unit. Pure. */
import type { ActorCosts, Balance, DrillRecord } from './record.ts'
import { lossesOf, sumByRole } from './reportFigures.ts'
import {
  ETH,
  exactAmount,
  groupDigits,
  plural,
  shortAmount,
  shortCount,
  smallestAmount,
  type Unit,
  unitOf,
  unitsOf,
} from './reportFormat.ts'
import { type Html, html, NOTHING, shorten } from './reportHtml.ts'
import { type BarRow, drawBars } from './reportPlots.ts'
import { badge, drawTable, leftOut } from './reportTable.ts'

/** Bars, and rows of a table, that a person still reads. */
const MAX_BARS = 16
const MAX_LOSERS = 12
const MAX_ROWS = 200

export function drawBalances(record: DrillRecord, id: string): Html {
  const { balances } = record
  if (balances.length === 0) return html`<p>The record holds no balances.</p>`
  const tokens = [...new Map(balances.map((balance) => [balance.token, unitOf(balance)]))]
  const losers = lossesOf(record).map(({ balance }) => balance)
  const lost = new Set(losers)
  const ordered = [...losers, ...balances.filter((balance) => !lost.has(balance))]
  return html`${sayLosers(losers)}
<p class="legend"><span><svg class="key" viewBox="0 0 24 14" width="24" height="14" aria-hidden="true"><rect class="behind" width="24" height="14"/></svg> before the fault</span> <span><svg class="key" viewBox="0 0 24 14" width="24" height="14" aria-hidden="true"><line class="owed" x1="12" x2="12" y1="0" y2="14"/></svg> owed</span> <span><svg class="key" viewBox="0 0 24 14" width="24" height="14" aria-hidden="true"><rect class="tone-good" y="3" width="24" height="8"/></svg> has after</span>${losers.length === 0 ? NOTHING : html` <span><svg class="key" viewBox="0 0 24 14" width="24" height="14" aria-hidden="true"><rect class="tone-bad" y="3" width="24" height="8"/></svg> ✗ has less than is owed</span>`}</p>
${tokens.map(([token, unit], i) =>
  drawToken(
    ordered.filter((balance) => balance.token === token),
    unit,
    `${id}-${i}`,
  ),
)}
${drawTable({
  caption: 'Balances to the last digit',
  heads: ['Owner', 'Token', 'Before', 'Owed', 'After', 'After minus owed'],
  numeric: [2, 3, 4, 5],
  rows: ordered.slice(0, MAX_ROWS).map(balanceRow),
  folded: ordered.length > MAX_BARS,
})}${leftOut(ordered.length - MAX_ROWS, 'balance', 'honest owners that lost come first')}`
}

function sayLosers(losers: readonly Balance[]): Html {
  if (losers.length === 0) return html`<p>No honest owner has less than is owed.</p>`
  const names = [...new Set(losers.map(({ owner }) => owner))]
  const more = names.length - MAX_LOSERS
  return html`<p class="bad-note"><strong>Honest owners that lost:</strong> ${names
    .slice(0, MAX_LOSERS)
    .map((name) => shorten(name, 60))
    .join(', ')}${more > 0 ? ` and ${groupDigits(more)} more` : ''}.</p>`
}

/** `balances`: of one token, those that lost first. */
function drawToken(balances: readonly Balance[], unit: Unit, id: string): Html {
  const title = `${unit.symbol}: before, owed and after`
  if (balances.length <= MAX_BARS)
    return html`<h4>${title}, by owner</h4>${drawBars({ id, title, rows: balances.map((one) => ownerBar(one, unit)) })}`
  const losers = balances.filter((one) => isShort(one))
  const named = losers.slice(0, MAX_LOSERS)
  const rest = balances.filter((one) => !named.includes(one))
  return html`${
    named.length === 0
      ? NOTHING
      : html`<h4>${unit.symbol}: honest owners that lost${losers.length > named.length ? `, the ${named.length} worst of ${groupDigits(losers.length)}` : ''}</h4>${drawBars({ id: `${id}-lost`, title: `${title}, of honest owners that lost`, rows: named.map((one) => ownerBar(one, unit)) })}`
  }<h4>${title}, ${named.length > 0 ? 'everybody else' : 'everybody'} in groups, summed</h4>${drawBars({ id, title: `${title}, by groups of owners`, rows: groupBars(rest, unit) })}`
}

const isShort = ({ honest, owed, after }: Balance) => honest && unitsOf(after) < unitsOf(owed)

function ownerBar(balance: Balance, unit: Unit): BarRow {
  const label = `${balance.owner}${balance.honest ? '' : ' (not honest)'}`
  return bar({ label, of: [balance], unit })
}

function groupBars(balances: readonly Balance[], unit: Unit): BarRow[] {
  const groups: readonly (readonly [label: string, has: (balance: Balance) => boolean])[] = [
    ['that lost', (one) => isShort(one)],
    ['honest, online', (one) => one.honest && one.online && !isShort(one)],
    ['honest, offline', (one) => one.honest && !one.online && !isShort(one)],
    ['not honest', (one) => !one.honest],
  ]
  return groups.flatMap(([label, has]) => {
    const of = balances.filter(has)
    return of.length === 0 ? [] : [bar({ label: `${groupDigits(of.length)} ${label}`, of, unit })]
  })
}

function bar({ label, of, unit }: Readonly<{ label: string; of: readonly Balance[]; unit: Unit }>): BarRow {
  const sum = (pick: (one: Balance) => string) => of.reduce((all, one) => all + unitsOf(pick(one)), 0n)
  const owed = sum((one) => one.owed)
  const after = sum((one) => one.after)
  const short = of.some(isShort)
  const honest = of.every((one) => one.honest)
  return {
    label,
    value: after,
    mark: owed,
    behind: sum((one) => one.before),
    tone: short ? 'bad' : honest ? 'good' : 'muted',
    said: short ? `✗ lacks ${shortAmount(owed - after, unit)}` : `${honest ? '✓ ' : ''}${shortAmount(after, unit)}`,
  }
}

function balanceRow(balance: Balance): readonly Html[] {
  const unit = unitOf(balance)
  const [before, owed, after] = [balance.before, balance.owed, balance.after].map(unitsOf) as [bigint, bigint, bigint]
  const short = isShort(balance)
  const cell = (amount: bigint) =>
    unit.decimals === 0
      ? html`${groupDigits(amount)}<small>units</small>`
      : html`${exactAmount(amount, unit)}<small>${smallestAmount(amount, unit)}</small>`
  const who = `${balance.honest ? 'honest' : 'not honest'}, ${balance.online ? 'online' : 'offline'}`
  return [
    html`<strong>${shorten(balance.owner, 60)}</strong><small>${who}</small>`,
    html`${shorten(unit.symbol, 30)}`,
    cell(before),
    cell(owed),
    cell(after),
    html`${after === owed ? '0' : `${after > owed ? '+' : '−'}${sayDifference(after > owed ? after - owed : owed - after, unit)}`}${short ? html` ${badge(false, 'lost')}` : NOTHING}`,
  ]
}

const sayDifference = (amount: bigint, unit: Unit) =>
  unit.decimals === 0 ? groupDigits(amount) : exactAmount(amount, unit)

export function drawCosts(record: DrillRecord, id: string): Html {
  const { actors } = record
  if (actors.length === 0) return html`<p>The record names nobody.</p>`
  const sent = actors.filter(({ transactions }) => transactions > 0)
  const grouped = sent.length > MAX_BARS
  const bars: readonly Readonly<{ label: string; gas: number; costWei: bigint }>[] = grouped
    ? sumByRole(record).map(({ many, role, actors: count, gas, costWei }) => ({
        label: count === 1 ? role : `${groupDigits(count)} ${many}`,
        gas,
        costWei,
      }))
    : sent.map(({ name, gas, costWei }) => ({ label: name, gas, costWei: unitsOf(costWei) }))
  const by = grouped ? 'by role' : 'by actor'
  const ordered = [...actors].sort((a, b) => b.gas - a.gas)
  return html`${
    bars.length === 0
      ? html`<p>Nobody sent anything to L1.</p>`
      : html`<div class="pair"><div><h4>Gas used, ${by}</h4>${drawBars({
          id: `${id}-gas`,
          title: `Gas used, ${by}`,
          width: 520,
          rows: bars.map(({ label, gas }) => ({ label, value: BigInt(gas), said: shortCount(gas), tone: 'plain' })),
        })}</div><div><h4>Cost of that gas, ${by}</h4>${drawBars({
          id: `${id}-cost`,
          title: `Cost of that gas, ${by}`,
          width: 520,
          rows: bars.map(({ label, costWei }) => ({
            label,
            value: costWei,
            said: shortAmount(costWei, ETH),
            tone: 'plain',
          })),
        })}</div></div>`
  }
${drawTable({
  caption: 'Costs to the wei',
  heads: ['Actor', 'Transactions', 'Gas', 'Cost of gas', 'Bonds lost', 'Earned'],
  numeric: [1, 2, 3, 4, 5],
  rows: ordered.slice(0, MAX_ROWS).map(costRow),
  folded: ordered.length > MAX_BARS,
})}${leftOut(ordered.length - MAX_ROWS, 'actor', 'those who used most gas come first')}
<p class="fine">All together: ${plural(
    actors.reduce((sum, { transactions }) => sum + transactions, 0),
    'transaction',
  )}, ${groupDigits(actors.reduce((sum, { gas }) => sum + gas, 0))} gas, ${exactAmount(
    actors.reduce((sum, { costWei }) => sum + unitsOf(costWei), 0n),
    ETH,
  )}.</p>`
}

function costRow({ name, role, honest, online, transactions, gas, costWei, bondsLostWei, earnedWei }: ActorCosts) {
  const cell = (text: string) => {
    const wei = unitsOf(text)
    return wei === 0n ? html`0` : html`${exactAmount(wei, ETH)}<small>${smallestAmount(wei, ETH)}</small>`
  }
  return [
    html`<strong>${shorten(name, 60)}</strong><small>${role}, ${honest ? 'honest' : 'not honest'}, ${online ? 'online' : 'offline'}</small>`,
    html`${groupDigits(transactions)}`,
    html`${groupDigits(gas)}`,
    cell(costWei),
    cell(bondsLostWei),
    cell(earnedWei),
  ]
}

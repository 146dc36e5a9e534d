/** The report of drills as markup: what it says, what it never lets a record do. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DrillRecord } from '../../drill/record.ts'
import { renderDrillReport } from '../../drill/report.ts'
import { stepsOf, verdictOf } from '../../drill/reportFigures.ts'
import {
  ETH,
  exactAmount,
  formatDuration,
  groupDigits,
  shortAmount,
  shortCount,
  smallestAmount,
} from '../../drill/reportFormat.ts'
import { escapeHtml, html, printable, shorten } from '../../drill/reportHtml.ts'
import { lanesOf, mostTelling, windowOf } from '../../drill/reportLanes.ts'
import { clusterBy, createRows, createScale, timeTicks } from '../../drill/reportScale.ts'
import { describeDrill, drillTable } from '../../drill/reportText.ts'
import { after, balanceOf, costsOf, emptyRecord, failingRecord, hugeRecord, richRecord } from './reportRecords.ts'

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;\u202e\u001b[2J\n| \`x\` |`

const report = suite('the report of drills')

report('escapes every text of a record, wherever it stands', () => {
  const rich = richRecord()
  const poison = (value: unknown): unknown =>
    typeof value === 'string' && !/^(0x|-?[0-9]+$)/.test(value)
      ? `${value}${HOSTILE}`
      : Array.isArray(value)
        ? value.map(poison)
        : value !== null && typeof value === 'object'
          ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, poison(one)]))
          : value
  const page = renderDrillReport([poison(rich) as DrillRecord, poison(failingRecord()) as DrillRecord])
  assert.is(page.match(/<script/g)?.length, 1)
  assert.not.match(page, /<img/)
  assert.not.match(page, /\u202e/)
  assert.ok(!page.includes('\u001b'))
  assert.match(page, /&lt;script&gt;alert\(1\)/)
  assert.match(page, /&amp;amp;/)
})

report('takes an object of a record that looks like markup for text', () => {
  const forged = { markup: '<b>', '#markup': '<b>', toString: () => '<b>bold</b>' } as unknown as string
  assert.not.match(html`<p>${forged}</p>`.toString(), /<b>/)
})

report('shows characters that steer a terminal or the reading direction as what they are', () => {
  assert.is(printable('a\u001b[2Jb\u202ec\u200bd\ne'), 'a\\u001b[2Jb\\u202ec\\u200bd e')
  assert.is(escapeHtml(`<a href="x" b='y'>&`), '&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;')
  assert.is(shorten('abcdef', 4), 'abc…')
  assert.is(shorten('😀'.repeat(50), 40), `${'😀'.repeat(40)}… (50 characters)`)
})

report('asks for nothing from outside', () => {
  const page = renderDrillReport([richRecord()])
  assert.not.match(page, /(src|href)="(?!#|data:,")/)
  assert.not.match(page, /@import|url\(|http:|https:/)
  assert.match(page, /default-src 'none'/)
})

report('says the verdict before anything else, and shows a failed drill as failed', () => {
  const passed = renderDrillReport([richRecord()])
  assert.match(passed, /Passed: every honest owner got everything back/)
  assert.not.match(passed, /class="verdict bad"/)
  const failed = renderDrillReport([failingRecord()])
  assert.match(failed, /class="verdict bad"/)
  assert.match(failed, /Failed: 2 honest owners lost money/)
  assert.match(failed, /leo lacks 2\.87000000000000001 ETH; bob lacks 0\.8 ETH/)
  assert.ok(failed.indexOf('Failed: 2 honest') < failed.indexOf('What was judged'))
})

report('calls no drill passed whose own figures say otherwise', () => {
  const lacking = richRecord({ balances: [balanceOf('alice', 5n, { after: '4' })] })
  assert.is(verdictOf(lacking).passed, false)
  assert.match(verdictOf(lacking).reasons.join(' '), /alice lacks 0\.000000000000000001 ETH.*contradicts/)
  const broken = richRecord({ findings: [{ invariant: 'EXIT-3', held: false, detail: 'paid twice' }] })
  assert.is(verdictOf(broken).passed, false)
  assert.is(verdictOf(emptyRecord()).passed, false)
  assert.is(verdictOf(richRecord({ passed: false })).passed, false)
  assert.is(verdictOf(richRecord({ balances: [balanceOf('mallory', 5n, { honest: false, after: '0' })] })).passed, true)
})

report('names milestones that did not happen, and those that came before the fault', () => {
  const steps = stepsOf(failingRecord())
  assert.equal(
    steps.map(({ blocks }) => blocks),
    [null, -2, 11, null, null],
  )
  assert.is(steps[1]?.sinceFault, '2 blocks, 4 s before the fault')
  assert.is(steps[2]?.sinceBefore, '13 blocks, 26 s after “Detected”')
  assert.is(renderDrillReport([failingRecord()]).match(/did not happen/g)?.length, 2)
  const { milestones } = richRecord()
  const unfaulted = richRecord({ milestones: { ...milestones, fault: null } })
  assert.ok(stepsOf(unfaulted).every(({ blocks }) => blocks === null))
  assert.not.match(renderDrillReport([unfaulted]), /NaN|undefined|null/)
})

report('draws an empty record, and no record at all', () => {
  const page = renderDrillReport([emptyRecord()])
  assert.match(page, /nothing was judged/)
  assert.not.match(page, /NaN|undefined|Infinity/)
  assert.match(renderDrillReport([]), /No drill was run/)
})

report('draws ten thousand owners as groups, and those that lost by name first', () => {
  const record = hugeRecord(10_000, 3)
  const page = renderDrillReport([record])
  assert.ok(page.length < 600_000, `${page.length} characters`)
  assert.match(page, /Honest owners that lost:<\/strong> owner9998, owner9999, owner10000\./)
  assert.ok(page.indexOf('owner9998') < page.indexOf('>owner1<'))
  assert.match(page, /4,999 honest, online/)
  assert.match(page, /9,800 more balances left out/)
  assert.match(page, /19,600 more events left out/)
  assert.ok((page.match(/<rect/g)?.length ?? 0) < 400)
  assert.ok(lanesOf(record).length <= 20)
})

report('gives balances to the wei', () => {
  const page = renderDrillReport([richRecord({ balances: [balanceOf('alice', 1_500_000_000_000_000_001n)] })])
  assert.match(page, /1\.500000000000000001 ETH/)
  assert.match(page, /1,500,000,000,000,000,001 wei/)
  assert.throws(
    () => renderDrillReport([richRecord({ balances: [balanceOf('alice', 1n, { owed: '1e3' })] })]),
    (error: unknown) => (error as { code: string }).code === 'RECORD_INVALID',
  )
})

report('links every drill of many from a table, under ids that no scenario name can disturb', () => {
  const page = renderDrillReport([richRecord(), failingRecord({ scenario: '"#x' }), emptyRecord()])
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  assert.is(new Set(ids).size, ids.length)
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(target), target)
  for (const [, list] of page.matchAll(/aria-labelledby="([^"]+)"/g))
    for (const id of (list ?? '').split(' ')) assert.ok(ids.includes(id), id)
  assert.match(page, /2 of 3 drills failed/)
  assert.match(page, /href="#drill-2">&quot;#x<\/a>/)
})

report('gives every drawing a title, and every mark a shape of its kind', () => {
  const page = renderDrillReport([richRecord()])
  for (const [svg] of page.matchAll(/<svg[^>]*>(?:<title|\s*<title)?/g))
    assert.ok(svg.includes('aria-hidden') || svg.includes('<title'), svg)
  const shapes = ['fault', 'alert', 'payment', 'note'].map(
    (kind) => new RegExp(`kind-${kind}"[^>]*>(?:<title>[^<]*</title>)?<path d="([^"]+)"`).exec(page)?.[1],
  )
  assert.is(new Set(shapes).size, 4)
  assert.ok(shapes.every((shape) => shape !== undefined))
})

report('is the same for the same record', () => {
  assert.is(renderDrillReport([richRecord()]), renderDrillReport([richRecord()]))
})

report('writes amounts, counts and times as people read them', () => {
  assert.is(groupDigits(1_234_567), '1,234,567')
  assert.is(exactAmount(10n ** 18n + 1n, ETH), '1.000000000000000001 ETH')
  assert.is(smallestAmount(1_000n, ETH), '1,000 wei')
  assert.is(shortAmount(1_234_567_000_000_000_000n, ETH), '≈ 1.234 ETH')
  assert.is(shortAmount(12_345_600_000_000_000_000_000n, ETH), '≈ 12,345 ETH')
  assert.is(shortAmount(0n, ETH), '0 ETH')
  assert.is(shortAmount(1n, ETH), '1 wei')
  assert.is(shortAmount(-123_456_789n, ETH), '−123,456,789 wei')
  assert.is(shortCount(999_999), '999,999')
  assert.is(shortCount(12_340_000), '12.34 M')
  assert.is(shortCount(5n * 10n ** 18n), '5 × 10^18')
  assert.equal([0, 59, 60, 3_661, 90_000, -5].map(formatDuration), [
    '0 s',
    '59 s',
    '1 min',
    '1 h 1 min',
    '1 d 1 h',
    '−5 s',
  ])
})

report('scales, ticks, clusters and rows keep within their bounds', () => {
  const x = createScale([10, 20], [0, 100])
  assert.equal([0, 10, 15, 20, 30].map(x), [0, 0, 50, 100, 100])
  assert.is(createScale([5, 5], [7, 9])(5), 7)
  assert.equal(timeTicks(-70, 660, 6), [0, 300, 600])
  assert.equal(timeTicks(0, 0, 5), [0])
  assert.ok(timeTicks(0, 400 * 86_400, 5).length <= 6)
  const clusters = clusterBy([0, 5, 9, 12, 40], (value) => value, 10)
  assert.equal(
    clusters.map(({ x: at, members }) => [at, members.length]),
    [
      [0, 3],
      [12, 1],
      [40, 1],
    ],
  )
  const rowOf = createRows()
  assert.equal([rowOf(0, 10), rowOf(5, 15), rowOf(10, 20), rowOf(12, 14)], [0, 1, 0, 2])
})

report('draws little of the time before a fault, and tells how much it left out', () => {
  const record = richRecord()
  const window = windowOf(record)
  assert.is(window.zero, after(90).time)
  assert.ok(window.from > record.l1.start.time)
  const drawn = lanesOf(record).reduce((sum, { entries }) => sum + entries.length, 0)
  assert.is(drawn + window.before, record.timeline.length)
})

report('keeps faults and alerts when there are too many events', () => {
  const { timeline } = richRecord()
  const kept = mostTelling(timeline, 6)
  assert.is(kept.length, 6)
  assert.ok(['fault', 'alert', 'note'].every((kind) => kept.some((entry) => entry.kind === kind)))
  assert.equal(
    kept,
    timeline.filter((entry) => kept.includes(entry)),
  )
})

report('tells a terminal the verdict, the losses, the figures and the command', () => {
  const lines = describeDrill(failingRecord())
  assert.is(lines[0], 'watcher-offline: Failed: 2 honest owners lost money')
  for (const part of [
    'lost: bob lacks 0.8 ETH',
    'broken: EXIT-2',
    'acted: 11 blocks, 22 s after the fault',
    'paid: did not happen',
  ])
    assert.ok(
      lines.some((line) => line.includes(part)),
      part,
    )
  assert.match(lines.at(-1) ?? '', /lifeboat drill run watcher-offline --seed 7 --owners 12/)
  const hostile = describeDrill(richRecord({ story: HOSTILE, alerts: [{ ...richRecord().alerts[0]!, code: HOSTILE }] }))
  assert.ok(hostile.every((line) => !/\p{Cc}|\p{Cf}/u.test(line)))
  assert.ok(describeDrill(hugeRecord(10_000, 500)).length < 40)
})

report('makes a Markdown table that a name can not break', () => {
  const table = drillTable([richRecord(), failingRecord({ scenario: 'a|b`c\n<d>' }), emptyRecord()])
  const rows = table.split('\n')
  assert.is(rows.length, 5)
  assert.is(
    rows[2],
    '| withhold-block | 3 | 11 | 100 | 320 | operator 1.91 M, 2 watchers 3.4 M, 4 owners 1.58 M, thief 612,001 | passed |',
  )
  assert.is(rows[3]?.startsWith('| a\\|b\\`c \\<d\\> | -2 | 11 | - | - |'), true)
  assert.match(rows[3] ?? '', /\*\*failed\*\*/)
  assert.is(drillTable([]).split('\n').length, 2)
})

report('sums costs by role where actors are many', () => {
  const actors = Array.from({ length: 30 }, (_, i) =>
    costsOf(`w${i}`, { role: 'watcher', transactions: 1, gas: 1_000, costWei: '7' }),
  )
  assert.match(renderDrillReport([richRecord({ actors })]), /30 watchers: 30,000/)
})

report.run()

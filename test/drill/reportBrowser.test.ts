/** The report in a real browser: what a person sees, on a phone and on a desk, in the light and in the dark. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DrillRecord } from '../../drill/record.ts'
import { renderDrillReport } from '../../drill/report.ts'
import { type Browser, findBrowser, openBrowser } from './reportBrowser.ts'
import { emptyRecord, failingRecord, hugeRecord, richRecord } from './reportRecords.ts'

const LOOKS = [360, 1280].flatMap((width) => (['light', 'dark'] as const).map((scheme) => ({ width, scheme })))

const path = findBrowser()
const report = suite('the report of drills in a browser')
const folder = mkdtempSync(join(tmpdir(), 'lifeboat-report-'))
let browser: Browser

function write(name: string, records: readonly DrillRecord[]): string {
  const file = join(folder, `${name}.html`)
  writeFileSync(file, renderDrillReport(records))
  return pathToFileURL(file).href
}

report.before(async () => {
  if (path !== undefined) browser = await openBrowser(path)
})

report.after(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Tokens of a thousand whole units with eighteen places: the widest rows there are. */
const wide = richRecord({
  balances: richRecord()
    .balances.slice(0, 4)
    .map((one) => ({ ...one, token: `0x${'d3'.repeat(20)}`, symbol: 'DEMO', before: `1${'0'.repeat(21)}` })),
})

const MANY = [richRecord(), failingRecord(), hugeRecord(10_000, 30), emptyRecord()]

function test(name: string, run: () => Promise<void>): void {
  if (path === undefined) report.skip(name, run)
  else report(name, run)
}

report('looks for a browser where there is one, and takes nothing else for one', () => {
  assert.is(findBrowser(['', '/nowhere/chromium']), undefined)
  assert.is(findBrowser(['/nowhere/chromium', process.execPath]), process.execPath)
})

test('shows its verdict, fits the page and complains of nothing, in both widths and schemes', async () => {
  const pages = [
    { url: write('passed', [richRecord()]), heading: 'Passed: every honest owner got everything back' },
    { url: write('failed', [failingRecord()]), heading: 'Failed: 2 honest owners lost money' },
    { url: write('many', MANY), heading: '3 of 4 drills failed' },
  ]
  for (const { url, heading } of pages)
    for (const look of LOOKS) {
      await browser.open(url, look)
      const seen = await browser.evaluate<{ text: string; bottom: number; over: number; ground: string }>(`(() => {
        const heading = document.querySelector('h1'), box = heading.getBoundingClientRect()
        return { text: heading.innerText, bottom: box.height > 0 ? box.bottom : -1,
          over: document.documentElement.scrollWidth - innerWidth, ground: getComputedStyle(document.body).backgroundColor }
      })()`)
      assert.ok(seen.text.includes(heading), seen.text)
      assert.ok(seen.bottom > 0 && seen.bottom < 400, 'the verdict is in view')
      assert.is(seen.over, 0, `${url} at ${look.width} px`)
      assert.is(seen.ground === 'rgb(16, 21, 27)', look.scheme === 'dark')
      assert.equal(browser.complaints(), [])
    }
})

test('draws every picture once, with a size, and within the page', async () => {
  const url = write('drawn', [richRecord(), failingRecord()])
  for (const look of LOOKS) {
    await browser.open(url, look)
    const boxes = await browser.evaluate<{ shown: number; hidden: number; bad: string[] }>(`(() => {
      const all = [...document.querySelectorAll('svg[role=img]')], shown = all.filter((one) => one.checkVisibility())
      const bad = shown.filter((one) => { const box = one.getBoundingClientRect()
        return box.width < 200 || box.height < 40 || box.right > innerWidth || !one.querySelector('title').textContent })
      return { shown: shown.length, hidden: all.length - shown.length, bad: bad.map((one) => one.outerHTML.slice(0, 200)) }
    })()`)
    // A timeline, two tokens, gas and cost, for each of two drills.
    assert.is(boxes.shown, 10)
    assert.is(boxes.hidden, 10)
    assert.equal(boxes.bad, [])
  }
})

test('shows all columns of the balances on a desk', async () => {
  await browser.open(write('wide', [wide]), { width: 1280 })
  const over = await browser.evaluate<number[]>(
    `[...document.querySelectorAll('.scroll')].filter((one) => one.checkVisibility()).map((one) => one.scrollWidth - one.clientWidth)`,
  )
  assert.ok(over.length > 2 && over.every((one) => one <= 0), over.join())
})

test('its links lead to what they name, by keyboard too', async () => {
  await browser.open(write('links', MANY), { width: 1280 })
  const dead = await browser.evaluate<string[]>(
    `[...document.querySelectorAll('a[href^="#"]')].map((one) => one.hash).filter((hash) => !document.getElementById(hash.slice(1)))`,
  )
  assert.equal(dead, [])
  await browser.evaluate(`document.documentElement.style.scrollBehavior = 'auto'`)
  for (let i = 0; i < 40; i++) {
    await browser.press('Tab')
    if (await browser.evaluate<boolean>(`document.activeElement.matches('table a[href="#drill-2"]')`)) break
  }
  await browser.press('Enter')
  const top = await browser.evaluate<number>(
    `new Promise((done) => requestAnimationFrame(() => done(document.getElementById('drill-2').getBoundingClientRect().top)))`,
  )
  assert.ok(top >= 0 && top < 100, `the second drill begins at ${top}`)
})

test('opens a folded table by keyboard, and prints it unfolded', async () => {
  await browser.open(write('folded', [richRecord()]), { width: 1280 })
  const rows = `[...document.querySelectorAll('details tbody tr')].filter((one) => one.checkVisibility({ contentVisibilityAuto: true })).length`
  assert.is(await browser.evaluate<number>(rows), 0)
  await browser.evaluate(`document.querySelector('summary').focus()`)
  await browser.press('Enter')
  assert.ok((await browser.evaluate<number>(rows)) > 20)
  await browser.look({ width: 1280, scheme: 'dark', media: 'print' })
  assert.is(await browser.evaluate(`getComputedStyle(document.body).backgroundColor`), 'rgb(255, 255, 255)')
  await browser.evaluate(`dispatchEvent(new Event('beforeprint'))`)
  assert.is(await browser.evaluate<number>(`document.querySelectorAll('details:not([open])').length`), 0)
})

test('runs nothing that a record brings', async () => {
  const text = `</title></script><script>window.hit=1</script><img src=x onerror="window.hit=1"><svg onload="window.hit=1">`
  const rich = richRecord()
  const hostile = richRecord({
    title: text,
    story: text,
    scenario: text,
    reproduce: text,
    alerts: rich.alerts.map((alert) => ({ ...alert, code: text, subject: text, watcher: text })),
    timeline: rich.timeline.map((entry) => ({ ...entry, text, actor: text })),
    balances: rich.balances.map((balance) => ({ ...balance, owner: text, symbol: text })),
  })
  for (const width of [360, 1280]) {
    await browser.open(write('hostile', [hostile, hostile]), { width })
    assert.is(await browser.evaluate(`typeof window.hit + document.querySelectorAll('img').length`), 'undefined0')
    assert.is(await browser.evaluate<number>('document.documentElement.scrollWidth - innerWidth'), 0)
    assert.equal(browser.complaints(), [])
  }
})

if (path === undefined)
  console.log('skipped, no browser: install Debian’s `chromium`, or name one by the environment variable CHROMIUM')
report.run()

/** Every alert of the closed list has a story of its own end to end; a new alert without one fails here. */
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ALERT_CODES, type AlertCode } from '../../watcher/alerts.ts'
import { ALERT_STORIES } from './alertStories.ts'

const test = suite('alert stories')

const sourceOf = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8')

/** The tests of a file: from one call of `test` to the next. */
function testsOf(file: string): string[] {
  return sourceOf(file).split(/^(?=\s*test\()/m)
}

/** The body of a function of a helper file. */
function functionOf(file: string, name: string): string {
  const [, body] = sourceOf(file).split(new RegExp(`^export async function ${name}\\(`, 'm'))
  return body?.split(/^}/m)[0] ?? ''
}

/** Somewhere it is waited for or asserted; that it was not told shows nothing. */
function shows(code: AlertCode, source: string): boolean {
  return source.split('\n').some((line) => line.includes(`'${code}'`) && !/assert\.not|!\w*\.?codes/.test(line))
}

/** Undefined when the story is there and shows the alert; else what is wrong. */
function faultOf(code: AlertCode): string | undefined {
  const told = ALERT_STORIES[code]
  if (!told) return `${code}: no story`
  const { file, story, through } = told
  const found = testsOf(file).filter((source) => source.includes(story))
  if (found.length !== 1) return `${code}: ${found.length} tests of ${file} are named "${story}"`
  const [source = ''] = found
  if (!through) return shows(code, source) ? undefined : `${code}: ${file} never sees it in "${story}"`
  if (!source.includes(`${through.call}(`)) return `${code}: "${story}" does not call ${through.call}`
  return shows(code, functionOf(through.file, through.call)) ? undefined : `${code}: ${through.call} never sees it`
}

test('every alert of the closed list is shown by a story with a real operator, watcher and L1', () => {
  assert.equal(
    ALERT_CODES.flatMap((code) => faultOf(code) ?? []),
    [],
  )
})

test('no story is listed for an alert that is not in the closed list', () => {
  assert.equal(
    Object.keys(ALERT_STORIES).filter((code) => !ALERT_CODES.some((known) => known === code)),
    [],
  )
})

test.run()

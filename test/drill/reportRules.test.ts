/** The report names every rule that a drill judges in words of its own: for readers of no specification. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { probeL1 } from '../../drill/l1.ts'
import { ruleOf } from '../../drill/reportFigures.ts'
import { isLifeboatError } from '../../protocol/errors.ts'

const rules = suite('rules in the report')
const ROOT = join(import.meta.dirname, '..', '..', 'drill')

rules('every invariant that the drills name has words', () => {
  const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const text = files.map((name) => readFileSync(join(ROOT, name), 'utf8')).join('\n')
  const named = new Set(text.match(/(?<=')[A-Z]+-[0-9]+(?=')/g))
  assert.ok(named.size >= 24)
  assert.equal(
    [...named].filter((name) => ruleOf(name).startsWith('See ')),
    [],
  )
})

rules('an L1 that nobody serves is named with what came back', async () => {
  const error = await probeL1('http://127.0.0.1:9/secret').catch((thrown: unknown) => thrown)
  assert.ok(isLifeboatError(error))
  assert.is(error.code, 'ENDPOINT_UNREACHABLE')
  assert.match(error.message, /the L1 endpoint 127\.0\.0\.1:9 gives no answer to [a-z_A-Z]+, got \S+/)
  assert.not.match(error.message, 'secret')
})

rules.run()

/** docs/halt.md says what a halt does to each item, by which rule and which test: every test that it names exists, every row names one. */
import { existsSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('halts: the table')
const text = readFileSync(new URL('../../docs/halt.md', import.meta.url), 'utf8')
const spec = readFileSync(new URL('../../docs/spec.md', import.meta.url), 'utf8')
/** The tables' rows, without their heads. */
const rows = text
  .split('\n')
  .filter((line) => /^\| [^-]/.test(line) && !line.startsWith('| item') && !line.startsWith('| rivals'))

/** A test is written as `name of its file` "its name"; the files lie in test/contracts. */
function namedTests(row: string): [file: string, name: string][] {
  return [...row.matchAll(/`([\w.]+\.test)`\s*"([^"]+)"/g)].map((match) => [match[1] as string, match[2] as string])
}

function testsOf(file: string): string[] {
  const url = new URL(`./${file}.ts`, import.meta.url)
  if (!existsSync(url)) return []
  const names = [...readFileSync(url, 'utf8').matchAll(/\btest\(\s*(['"`])((?:\\.|(?!\1).)*)\1/g)]
  return names.map((match) => (match[2] as string).replace(/\\'/g, "'").replace(/\$\{[^}]*\}/g, '…'))
}

test('every row names a test that exists, word for word, and a rule of the specification', () => {
  assert.ok(rows.length > 40, `got ${rows.length} rows`)
  for (const row of rows) {
    const named = namedTests(row)
    assert.ok(named.length > 0, `no test: ${row}`)
    for (const [file, name] of named) assert.ok(testsOf(file).includes(name), `${file} has no test "${name}"`)
    const rules = row.match(/\b\d+\.\d+\.\d+\b/g) ?? []
    assert.ok(rules.length > 0, `no rule: ${row}`)
    for (const rule of rules) assert.ok(spec.includes(`- ${rule} `), `docs/spec.md has no rule ${rule}`)
  }
})

test('every test of the halt suites stands in the table', () => {
  const named = new Set(rows.flatMap(namedTests).map(([file, name]) => `${file} ${name}`))
  for (const file of [
    'halts.test',
    'haltsEvidence.test',
    'haltsExits.test',
    'haltsDisputes.test',
    'haltsParameters.test',
    'haltsRandom.test',
    'haltsRivals.test',
  ]) {
    for (const name of testsOf(file)) assert.ok(named.has(`${file} ${name}`), `not in docs/halt.md: ${file} "${name}"`)
  }
})

test.run()

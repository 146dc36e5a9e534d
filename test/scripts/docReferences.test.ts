/** A document that names what is not there is told. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findProblemsOf } from '../../scripts/docReferences.ts'

const test = suite('document references')
const files = new Map([['l1/calls.ts', 'export function encodeDeposit() {}']])
const tree = {
  find: (path: string) => (files.has(path) ? path : undefined),
  read: (path: string) => files.get(path) ?? '',
  follow: (link: string) => link === 'spec.md',
}
const problems = (text: string) => findProblemsOf(text, tree)

test('takes files, names and links that are there', () => {
  assert.equal(
    problems('`encodeDeposit` (`l1/calls.ts`), or (`encodeDeposit`, `l1/calls.ts`); [spec](spec.md#rules)'),
    [],
  )
  assert.equal(problems('`npm run x`, `a.b`, `POST /v1/x`, [web](https://example.org/a.md)'), [])
})

test('tells a file, a name and a link that are not', () => {
  assert.equal(problems('`l1/gone.ts` and `l1/gone.ts`'), ['got `l1/gone.ts`, want a file of the tree'])
  const want = ['got `encode` of `l1/calls.ts`, want a name that stands there']
  assert.equal(problems('`encode` (`l1/calls.ts`)'), want)
  assert.equal(problems('(`encode`, `l1/calls.ts`)'), want)
  assert.equal(problems('[rules](old.md)'), ['got a link to old.md, want a file'])
})

test.run()

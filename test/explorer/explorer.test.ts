/**
 * The exit games explored exhaustively in small worlds (`docs/explorer.md`): with every rule on nobody honest is short in any order of moves; with one rule
 * off its story comes back, and reads like the story.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { explore, type Result } from './explore.ts'
import { LIMITS } from './haltScenarios.ts'
import { AMENDMENTS, type Amendment, createRules, NOT_IN_CONTRACTS } from './rules.ts'
import { createGame } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'

const BOUNDS = { depth: 99, states: 400_000 }

/** What the shortest story of each amendment tells, in this order. */
const STORIES: Readonly<Record<Amendment, readonly RegExp[]>> = {
  C1: [
    /starts the exit of o/,
    /submits block 1 with T.*hidden/,
    /exit of o its turn: paid/,
    /exit of p its turn: paid/,
  ],
  C2: [
    /starts the dispute about U/,
    /proves F in block 1 invalid: halted at 1/,
    /decides about U: canonical/,
    /ticket of u: 10 paid/,
  ],
  C3: [
    /submits block 2 with T, J/,
    /evidence against the exit of a: T in block 2/,
    /halts at block 2|halted at 2/,
    /exit of a its turn: removed|releases the ticket of a/,
  ],
  C4: [
    /starts the exit of a/,
    /evidence against the exit of a: T, in no block/,
    /exit of a its turn: removed|releases the ticket of a/,
  ],
  C5: [
    /submits block 1 with T2.*hidden/,
    /reveals (block 1|T2 in block 1)/,
    /decides about T1: canonical/,
    /exit of p its turn: paid/,
    /exit of q its turn: paid/,
  ],
  H1: [/exit of p its turn: paid/, /proves J in block 1 invalid: halted at 1/, /HALT-3: p was paid/],
  C6: [/starts the exit of u \(through the dispute\), due 1/, /starts the exit of a .*due 2/, /ticket of u: 11 paid/],
  C7: [/decides about T: not \/ open/, /decides about T: not \/ canonical/, /exit of x its turn: paid/],
  H4: [
    /submits block 2 with T \(half-signed\)/,
    /evidence against the exit of a: T in block 2/,
    /EXIT-7: the bond of a/,
  ],
  K2: [
    /starts the dispute about T, E = 1\.875/,
    /closes the chain|proves J .*halted/,
    /exit of g its turn: paid/,
    /exit of [xy] its turn: ticket/,
  ],
  K3: [/starts the exit of a .*due 1\.875/, /2\.125 .*starts the dispute about T/, /exit of g its turn: paid/],
  K5: [/starts the dispute about T/, /decides about T: canonical/, /is owed 10/],
  K6: [
    /evidence against the exit of a: T in block [12]/,
    /proves T in block [12] invalid/,
    /exit of a its turn: removed|releases the ticket of a/,
  ],
  K7: [/starts the dispute about T/, /decides about T: not/, /exit of a its turn: ticket/],
  'H-A': [
    /starts the dispute about T/,
    /starts the exit of y \(through the dispute\), due 1\.000/,
    /submits block 2 with Z.*hidden/,
    /ticket of y: 10 paid/,
    /exit of z its turn: paid/,
  ],
  'H-C': [/exit of o: T in block 1/, /exit of o: R in block 2/, /exit of o its turn: paid/, /exit of p its turn: paid/],
  P2: [
    /starts the dispute about T/,
    /decides about T: canonical/,
    /starts the exit of x \(through the dispute\)/,
    /exit of g its turn: paid/,
  ],
  P4: [
    /evidence against the exit of a: T in block 2/,
    /proves T in block 2 invalid/,
    /starts the exit of a .*due 2\.125/,
    /settles the ticket of g/,
  ],
  P9b: [/starts the dispute about T/, /FUNDS-1: Alice got 0/],
  R17: [/submits block 1 with T, anchor 0\.000/, /exit of o its turn: paid/, /exit of p its turn: paid/],
  V3: [/submits block 2 with T/, /proves T in block 2 invalid: halted at 2/, /HALT-1: block 2 is valid/],
  D1: [
    /proves J in block 2 invalid: halted at 2/,
    /evidence against the exit of a: T in block 1/,
    /exit of a its turn: removed/,
    /Watcher .*proves T in block 1 invalid/,
  ],
  F11: [
    /demands that T2 in block 1 be revealed/,
    /reveals block 1/,
    /decides about T1: canonical/,
    /exit of p its turn: paid/,
    /exit of q its turn: paid/,
  ],
  F10: [/demands that T in block 1 be revealed/, /halts at block 1/, /HALT-1: block 1 is valid/],
  F1: [
    /starts the exit of a .*due 1\.875/,
    /starts the dispute about T/,
    /releases the ticket of a/,
    /settles the ticket of g/,
  ],
  F4: [
    /dispute about T/,
    /competitor of T: U/,
    /exit of b: T in block 1/,
    /decides about T: not/,
    /releases the ticket of b/,
  ],
  F8: [
    /submits block 1 with T/,
    /evidence against the exit of b/,
    /releases the ticket of b/,
    /exit of x its turn: paid/,
  ],
  F9: [
    /submits block 1 with T/,
    /1\.750 .*evidence against the exit of b/,
    /exit of b its turn: removed/,
    /exit of m its turn: paid/,
  ],
}

function search(name: string, off: readonly Amendment[]): Result {
  const scenario = SCENARIOS.find((s) => s.name === name)
  if (scenario === undefined) throw new RangeError(`got scenario ${name}, want one that exists`)
  return explore(createGame(scenario, createRules([...(scenario.without ?? []), ...off])), BOUNDS)
}

/** The lines are in the story, in this order. */
function assertTells({ found }: Result, lines: readonly RegExp[]): void {
  assert.ok(found, 'no counterexample')
  const text = found?.story.join('\n') ?? ''
  let from = 0
  for (const line of lines) {
    const next = text.slice(from).search(line)
    assert.ok(next >= 0, `the story lacks ${line} after character ${from}:\n${text}`)
    from += next + 1
  }
}

const allOn = suite('the explorer, all rules on')
for (const { name, about } of SCENARIOS) {
  allOn(`finds nothing when ${about}`, () => {
    const { found, complete, states } = search(name, [])
    assert.is(found, null, found?.story.join('\n'))
    assert.ok(complete, `${states} states were not enough`)
  })
}
allOn.run()

const oneOff = suite('the explorer, one rule off')
for (const { name, shows } of SCENARIOS) {
  for (const amendment of shows) {
    oneOff(`${amendment} off brings its story back: ${name}`, () =>
      assertTells(search(name, [amendment]), STORIES[amendment]),
    )
  }
}
oneOff('every amendment has a scenario', () => {
  assert.equal([...new Set(SCENARIOS.flatMap(({ shows }) => shows))].sort(), Object.keys(AMENDMENTS).sort())
})
oneOff('the same search finds the same states, paths and story', () => {
  const once = search('rival spends', ['C5'])
  const twice = search('rival spends', ['C5'])
  assert.equal({ ...once, seconds: 0 }, { ...twice, seconds: 0 })
})
oneOff.run()

const limits = suite('the explorer, limits that the documents state')
for (const { story, ...draft } of LIMITS) {
  limits(`still finds that ${draft.about}`, () => {
    assertTells(explore(createGame(draft, createRules(NOT_IN_CONTRACTS)), BOUNDS), story)
  })
}
limits.run()

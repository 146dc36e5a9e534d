/** Which exit: the whole table of the choice, and that it is total. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Hash } from '../../protocol/bytes.ts'
import { DEPOSIT_INDEX, encodePosition } from '../../protocol/position.ts'
import { chooseExit, type ExitChoice, type KnownTransaction, type OutputSituation } from '../../wallet/exitChoice.ts'

const choices = suite('which exit')
const T: Hash = `0x${'01'.repeat(32)}`
const U: Hash = `0x${'02'.repeat(32)}`
const at = (block: number) => encodePosition({ block, index: 3, output: 1 })
const made = (youngestInput?: number, verdict: KnownTransaction['verdict'] = 'none'): KnownTransaction => ({
  txHash: T,
  verdict,
  ...(youngestInput === undefined ? {} : { youngestInput }),
})
const deposited = encodePosition({ block: 9, index: DEPOSIT_INDEX, output: 0 })

/** An output of block 5 of 10, shown by somebody, made from an output of block 2. */
const USUAL: OutputSituation = { position: at(5), newest: 10, voidFrom: 0, isProven: true, made: made(2) }

function wayOf(changes: Partial<OutputSituation>): string {
  const choice: ExitChoice = chooseExit({ ...USUAL, ...changes })
  return choice.way === 'in-flight' ? `in-flight ${choice.txHash === T ? 'T' : 'U'}` : choice.way
}

const unknown = (changes: Partial<OutputSituation>) => {
  const { made: _, ...rest } = { ...USUAL, ...changes }
  return chooseExit(rest).way
}

const TABLE: readonly (readonly [name: string, changes: Partial<OutputSituation>, want: string])[] = [
  ['an output in an open block on L1', {}, 'standard'],
  ['a deposit, whatever blocks are withheld', { position: deposited, suspectBlock: 1 }, 'standard'],
  ['an output older than the suspect block', { suspectBlock: 6 }, 'standard'],
  ['an output of the suspect block', { suspectBlock: 5 }, 'in-flight T'],
  ['an output younger than the suspect block', { suspectBlock: 4 }, 'in-flight T'],
  ['an output of a withheld block that nobody shows', { suspectBlock: 5, isProven: false }, 'in-flight T'],
  ['made from deposits alone', { suspectBlock: 3, made: made() }, 'in-flight T'],
  [
    'its inputs are suspect too, but older than it: who cries wolf costs nobody a place',
    { suspectBlock: 2 },
    'in-flight T',
  ],
  ['its inputs are suspect too, and nobody shows it', { suspectBlock: 2, isProven: false }, 'in-flight T'],
  ['an input is of its own suspect block, but it is shown', { suspectBlock: 2, made: made(5) }, 'standard'],
  [
    'an input is of its own suspect block, and nobody shows it',
    { suspectBlock: 2, made: made(5), isProven: false },
    'none',
  ],
  ['another transaction stands at its place', { isProven: false, isDisplaced: true }, 'in-flight T'],
  ['a payment accepted, in no block on L1', { position: at(11), isProven: false }, 'in-flight T'],
  [
    'a payment in no block on L1, out of one that is in none either',
    { position: at(12), isProven: false, made: made(11) },
    'none',
  ],
  ['a block that nobody shows', { isProven: false }, 'in-flight T'],
  ['an output of a void block', { voidFrom: 4 }, 'in-flight T'],
  ['an output of a void block, made from a void one', { voidFrom: 2 }, 'none'],
  ['not on L1 when the chain was halted', { position: at(11), voidFrom: 11, isProven: false }, 'in-flight T'],
  ['a dispute runs, and an input became void', { made: made(4, 'running'), voidFrom: 4 }, 'none'],
  [
    'a payment that a halt left without its input does not hold what else it spends',
    { position: at(3), made: made(2), voidFrom: 4, spending: { txHash: U, verdict: 'none', youngestInput: 4 } },
    'standard',
  ],
  [
    'nor does one whose dispute runs',
    { position: deposited, voidFrom: 4, spending: { txHash: U, verdict: 'running', youngestInput: 4 } },
    'standard',
  ],
  [
    'a payment that only a void block holds holds what it spends',
    { position: at(3), made: made(2), voidFrom: 4, spending: { txHash: U, verdict: 'none', youngestInput: 3 } },
    'in-flight U',
  ],
  ['a dispute runs', { made: made(2, 'running') }, 'in-flight T'],
  ['a dispute runs, and the block is void', { made: made(2, 'running'), voidFrom: 4 }, 'in-flight T'],
  ['judged canonical, its block open', { made: made(2, 'canonical') }, 'standard'],
  ['judged canonical, its block withheld', { made: made(2, 'canonical'), suspectBlock: 5 }, 'in-flight T'],
  ['judged not canonical', { made: made(2, 'not-canonical') }, 'none'],
  ['an own payment in flight spends it', { spending: { txHash: U, verdict: 'none', youngestInput: 5 } }, 'in-flight U'],
  [
    'an own payment in flight spends a deposit',
    { position: deposited, spending: { txHash: U, verdict: 'running' } },
    'in-flight U',
  ],
  [
    'the payment that spent it was judged not canonical',
    { spending: { txHash: U, verdict: 'not-canonical' } },
    'standard',
  ],
]

for (const [name, changes, want] of TABLE) choices(`${name}: ${want}`, () => assert.is(wayOf(changes), want))

choices('without the signed payment only the standard exit is open, and only where the output is shown', () => {
  assert.is(unknown({}), 'standard')
  assert.is(unknown({ suspectBlock: 5 }), 'standard')
  assert.is(unknown({ suspectBlock: 5, isProven: false }), 'none')
  assert.is(unknown({ position: at(11), isProven: false }), 'none')
  assert.is(unknown({ voidFrom: 5 }), 'none')
})

choices('every situation has a way, and says why', () => {
  const verdicts = ['none', 'running', 'canonical', 'not-canonical'] as const
  let seen = 0
  for (const position of [deposited, at(1), at(5), at(11)])
    for (const voidFrom of [0, 1, 5, 6])
      for (const suspectBlock of [undefined, 1, 5, 6])
        for (const isProven of [true, false])
          for (const youngest of [undefined, 1, 5, 11])
            for (const verdict of verdicts) {
              const choice = chooseExit({
                position,
                newest: 10,
                voidFrom,
                ...(suspectBlock === undefined ? {} : { suspectBlock }),
                isProven,
                made: made(youngest, verdict),
              })
              assert.ok(choice.why.length > 5)
              if (choice.way === 'none') assert.ok(choice.instead.length > 5)
              if (choice.way === 'standard') {
                const block = Math.floor(position / 2 ** 25)
                assert.ok(position === deposited || (isProven && block <= 10 && (voidFrom === 0 || block < voidFrom)))
              }
              seen++
            }
  assert.is(seen, 4 * 4 * 4 * 2 * 4 * 4)
})

choices.run()

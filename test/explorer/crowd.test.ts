/**
 * Random walks through all three exit games at once on the real root contract: mass exits beside single exits, disputes and halts, judged by what really happened
 * (`docs/explorer.md`). WALKS=<n> for more, FUZZ_SEED=<n> repeats a run; `npm run explore -- --walks` makes what breaks short.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { printSeed, seed } from '../protocol/random.ts'
import { openWalkChain, type WalkChain } from './crowd/l1.ts'
import { play } from './crowd/walk.ts'

const WALKS = Number(process.env['WALKS'] ?? 6)
/** A walk in which a batch names what was spent, and nothing but a strike stands in the way. */
const STRUCK = 4
const test = suite('the explorer of all exit games')
printSeed('walks')

let l1: WalkChain
test.before(async () => {
  l1 = await openWalkChain()
})
test.after(() => l1.stop())

test('everybody is paid what is his, once, whatever mass exits, single exits, disputes and halts do together', async () => {
  for (let i = 0; i < WALKS; i++) {
    const { walk, broken } = await play(l1, seed + i)
    assert.is(broken, null, `seed ${seed + i}: ${broken}\n${walk.log.join('\n')}`)
  }
})

test('the same seed walks the same way', async () => {
  const [one, two] = [await play(l1, 7), await play(l1, 7)]
  assert.equal(one.walk.log, two.walk.log)
})

test('a walk notices that nobody strikes what was spent', async () => {
  assert.is((await play(l1, STRUCK)).broken, null)
  const { broken } = await play(l1, STRUCK, { lazy: 'strike' })
  assert.ok(broken !== null, 'got nothing broken, want a payment of what was spent')
})

test.run()

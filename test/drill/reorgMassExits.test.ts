/** Every step of the drills in which L1 takes mass exits back, at several depths and in each way. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { playReorgMassExit, reorgMassExit } from '../../drill/scenarios/reorgMassExit.ts'
import { playReorgStrike, reorgStrike } from '../../drill/scenarios/reorgStrike.ts'
import { assertReplaced, kindsFor, pass, reorgStory } from './reorgStories.ts'

const test = suite('drill: reorgs of mass exits')

for (const first of ['forgotten', 'reversed'] as const) {
  test(`a mass exit whose start is ${first} starts once, and its lock, turn and claims are taken again until all are paid`, async () => {
    const reorgs = kindsFor(4, first)
    const record = await pass(reorgStory(reorgMassExit, playReorgMassExit, reorgs), 1)
    assertReplaced(record, reorgs)
    const starts = record.timeline.filter(({ text }) => /^starts a mass exit/.test(text))
    assert.is(starts.length, 2, 'ether and tokens')
    assert.match(
      JSON.stringify(record.findings),
      /"0 of [1-9]\d* entries name what a mass exit of the same coordinator names/,
    )
  })
}

test('a demand, the end of a batch that nobody answered for, and a strike are taken again, and the thief pays', async () => {
  const reorgs = kindsFor(3, 'reversed')
  const record = await pass(reorgStory(reorgStrike, playReorgStrike, reorgs), 2)
  assertReplaced(record, reorgs)
  assert.match(JSON.stringify(record.findings), /none of 1 struck entries was paid/)
  const mallory = record.actors.find(({ name }) => name === 'mallory')
  assert.ok(BigInt(mallory?.bondsLostWei ?? 0) > 0n)
})

test.run()

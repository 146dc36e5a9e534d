/** Random histories of many cheats at once, judged after every step. FUZZ_SEED repeats a run; `npm run cheaters -- --walk` plays longer ones. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { printSeed, seed } from '../protocol/random.ts'
import { type OpenStage, openStage } from './stage.ts'
import { walk } from './walk.ts'

const STEPS = 30
const test = suite('cheaters: walks')
printSeed('cheaters: walks')
let stage: OpenStage
test.before(async () => {
  stage = await openStage()
})
test.after(() => stage.close())

/** 8: a struck entry kept the last of the line from their money, until a watcher removed it. */
for (const one of [1, 2, 8, 3 + (seed % 100_000)]) {
  test(`nobody honest loses anything in a history of many cheats: seed ${one}`, async () => {
    const { broken, story, line, steps } = await walk(stage, { seed: one, steps: STEPS })
    if (broken) throw new Error([...story, broken.stack, line].join('\n'))
    assert.ok(steps > STEPS, 'the chain ended, and all that was due was played')
  })
}

test.run()

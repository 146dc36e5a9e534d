/** The cells of one exit game as tests: every pair of the matrix once with a fixed seed, and once with the seed of the run (FUZZ_SEED repeats it). */
import { suite } from 'uvu'
import { seed } from '../protocol/random.ts'
import { type Game, lineOf, pairwise } from './cell.ts'
import { playCell, tell } from './play.ts'
import { type OpenStage, openStage } from './stage.ts'

const FIXED_SEED = 1

export function matrixSuite(game: Game): void {
  const test = suite(`cheaters: ${game}`)
  let stage: OpenStage
  test.before(async () => {
    stage = await openStage()
  })
  test.after(() => stage.close())
  for (const cell of [FIXED_SEED, 2 + (seed % 100_000)].flatMap(pairwise).filter((one) => one.game === game)) {
    test(`nobody honest loses anything: ${lineOf(cell)}`, async () => {
      const played = await playCell(stage, cell)
      if (played.broken) throw new Error(tell(played))
    })
  }
  test.run()
}

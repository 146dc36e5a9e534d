/** The matrix itself: no cell is left out without a reason, and every pair is played. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AWAY, FAULTS, fullMatrix, GAMES, lineOf, notApplicable, pairsOf, pairwise, reasonAgainst } from './cell.ts'

const test = suite('cheaters: cells')

const all = FAULTS.flatMap((fault) => GAMES.flatMap((game) => AWAY.map((away) => ({ fault, game, away }))))

test('a cell is played or has a reason', () => {
  const played = new Set(fullMatrix(1).map(lineOf))
  for (const cell of all) {
    const reason = reasonAgainst(cell)
    assert.is(played.has(lineOf({ ...cell, seed: 1 })), reason === undefined, lineOf({ ...cell, seed: 1 }))
  }
  assert.is(played.size + all.filter((cell) => reasonAgainst(cell)).length, all.length)
})

test('every reason is one for some cell, and leaves most of the matrix', () => {
  for (const { holds, reason } of notApplicable) assert.ok(all.some(holds), reason)
  assert.ok(fullMatrix(1).length > all.length * 0.8)
})

test('the part that is played at each run holds every pair of the whole', () => {
  for (const seed of [1, 2, 77]) {
    const part = pairwise(seed)
    const pairs = new Set(part.flatMap(pairsOf))
    for (const pair of fullMatrix(seed).flatMap(pairsOf)) assert.ok(pairs.has(pair), pair)
    assert.is(new Set(part.map(lineOf)).size, part.length)
  }
})

test('the line of a cell names all of it', () => {
  assert.is(
    lineOf({ fault: 'theft', game: 'mass', away: 'one-owner', seed: 7 }),
    'npm run cheaters -- --fault theft --game mass --offline one-owner --seed 7',
  )
})

test.run()

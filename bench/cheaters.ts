/**
 * `npm run cheaters`: the cheater matrix (test/cheaters/) at length, and long random histories of many cheats at once. A case that fails prints what happened and, last, the line that plays it
 * again. Exits with 1 when any failed.
 *
 *     --fault <name> --game <name> --offline <name>   only these cells; what is left out is played in full
 *     --seed <n> or --seeds <from>..<to>              default 1
 *     --pairs                                         of each seed only as many cells as hold every pair
 *     --walk <steps>                                  no cells, but one random history of so many steps (and its end) for each seed
 *     --table                                         the cells that make no sense, with the reasons, and nothing else
 *     --quiet                                         no line for what held
 */
import { parseArgs } from 'node:util'
import { AWAY, type Cell, FAULTS, fullMatrix, GAMES, lineOf, pairwise, reasonAgainst } from '../test/cheaters/cell.ts'
import { playCell, tell } from '../test/cheaters/play.ts'
import { type OpenStage, openStage } from '../test/cheaters/stage.ts'
import { walk } from '../test/cheaters/walk.ts'

const { values } = parseArgs({
  options: {
    fault: { type: 'string' },
    game: { type: 'string' },
    offline: { type: 'string' },
    seed: { type: 'string' },
    seeds: { type: 'string' },
    walk: { type: 'string' },
    pairs: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
})

type Tally = { played: number; failed: number; calls: number; steps: number }

function oneOf<T extends string>(option: 'fault' | 'game' | 'offline', names: readonly T[]): T | undefined {
  const value = values[option]
  if (value === undefined) return undefined
  const found = names.find((name) => name === value)
  if (!found) throw new RangeError(`--${option}: got ${value}, want of ${names.join(', ')}`)
  return found
}

function seedsOf(): number[] {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(values.seeds ?? values.seed ?? '1')
  const from = Number(match?.[1])
  const to = Number(match?.[2] ?? from)
  if (!match || to < from) throw new RangeError(`--seeds: got ${values.seeds ?? values.seed}, want <from>..<to>`)
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

function stepsOf(): number {
  const steps = Number(values.walk)
  if (!Number.isSafeInteger(steps) || steps < 1)
    throw new RangeError(`--walk: got ${values.walk}, want a number of steps`)
  return steps
}

const wanted = {
  fault: oneOf('fault', FAULTS),
  game: oneOf('game', GAMES),
  away: oneOf('offline', AWAY),
}

function cellsOf(seed: number): Cell[] {
  const all = values.pairs ? pairwise(seed) : fullMatrix(seed)
  const { fault, game, away } = wanted
  return all.filter(
    (cell) => (!fault || cell.fault === fault) && (!game || cell.game === game) && (!away || cell.away === away),
  )
}

async function playMatrix(stage: OpenStage, tally: Tally): Promise<void> {
  for (const seed of seedsOf()) {
    const cells = cellsOf(seed)
    if (cells.length === 0) throw new RangeError(`no such cell: ${reasonOf()}`)
    for (const cell of cells) {
      const played = await playCell(stage, cell)
      tally.played++
      tally.calls += played.calls
      tally.steps += played.stops
      if (played.broken) {
        tally.failed++
        console.log(tell(played))
      } else if (!values.quiet) console.log(`held: ${lineOf(cell)} (${played.timing}, ${played.calls} calls on L1)`)
    }
  }
}

function reasonOf(): string {
  const { fault, game, away } = wanted
  return (fault && game && away && reasonAgainst({ fault, game, away })) ?? 'the options leave none'
}

async function playWalks(stage: OpenStage, tally: Tally): Promise<void> {
  const steps = stepsOf()
  const { fault, game, away } = wanted
  for (const seed of seedsOf()) {
    const walked = await walk(stage, {
      seed,
      steps,
      ...(game && { game }),
      ...(away && { away }),
      ...(fault && { last: fault }),
    })
    tally.played++
    tally.calls += walked.calls
    tally.steps += walked.steps
    if (walked.broken) {
      tally.failed++
      console.log([...walked.story, walked.broken.stack, walked.line].join('\n'))
    } else if (!values.quiet) console.log(`held: ${walked.line} (${walked.steps} steps, ${walked.calls} calls on L1)`)
  }
}

function printTable(): void {
  console.log('| fault | game | offline | why it is not played |\n|---|---|---|---|')
  for (const fault of FAULTS)
    for (const game of GAMES)
      for (const away of AWAY) {
        const reason = reasonAgainst({ fault, game, away })
        if (reason) console.log(`| ${fault} | ${game} | ${away} | ${reason} |`)
      }
}

if (values.table) printTable()
else {
  const begun = performance.now()
  const tally: Tally = { played: 0, failed: 0, calls: 0, steps: 0 }
  const stage = await openStage()
  try {
    if (values.walk === undefined) await playMatrix(stage, tally)
    else await playWalks(stage, tally)
  } finally {
    stage.close()
  }
  const { played, failed, steps, calls } = tally
  const seconds = ((performance.now() - begun) / 1000).toFixed(0)
  console.log(`${played} played, ${failed} failed; ${steps} steps, ${calls} calls on L1, ${seconds} s`)
  if (failed > 0) process.exitCode = 1
}

/**
 * The cheater matrix (docs/invariants.md): who cheats, by which door people leave meanwhile, who is away, and a seed for all that is left to chance. A cell that makes no
 * sense stands in one table with its reason.
 */

export const FAULTS = [
  'none',
  'withhold-block',
  'withhold-transaction',
  'reveal-late',
  'double-spend',
  'mint',
  'forge-signature',
  'spend-exited',
  'break-value',
  'refer-to-future',
  'wrong-root',
  'equivocate',
  'censor',
  'stop',
  'theft',
  'non-canonical',
  'hostile-batch',
  'poisoned-batch',
  'copied-batch',
] as const
export const GAMES = ['standard', 'in-flight', 'mass', 'after-halt'] as const
export const AWAY = [
  'nobody',
  'one-owner',
  'all-owners-but-one',
  'watcher-1',
  'coordinator',
  'all-but-a-watcher',
] as const

export type Fault = (typeof FAULTS)[number]
export type Game = (typeof GAMES)[number]
export type Away = (typeof AWAY)[number]
export type Cell = Readonly<{ fault: Fault; game: Game; away: Away; seed: number }>

/** Faults that put an invalid transaction into a block that everybody can read. */
export const FORGERIES: ReadonlySet<Fault> = new Set([
  'double-spend',
  'mint',
  'forge-signature',
  'spend-exited',
  'break-value',
  'refer-to-future',
])

/** Faults after which the chain ends without anybody closing it. */
export const ENDING: ReadonlySet<Fault> = new Set([
  ...FORGERIES,
  'withhold-block',
  'withhold-transaction',
  'wrong-root',
  'stop',
])

type NotApplicable = Readonly<{ holds(cell: Omit<Cell, 'seed'>): boolean; reason: string }>

export const notApplicable: readonly NotApplicable[] = [
  {
    holds: ({ game, away }) => away === 'coordinator' && (game === 'standard' || game === 'in-flight'),
    reason: 'nobody coordinates where everybody leaves alone',
  },
  {
    holds: ({ fault, game }) => fault === 'copied-batch' && (game === 'standard' || game === 'in-flight'),
    reason: 'there is no batch that could be copied',
  },
  {
    holds: ({ fault, game }) => fault === 'poisoned-batch' && (game === 'standard' || game === 'in-flight'),
    reason: 'there is no batch that could be poisoned',
  },
  {
    holds: ({ fault, game }) => fault === 'poisoned-batch' && game === 'after-halt',
    reason: 'poison is a spend after the batch started, and no block comes after a halt',
  },
  {
    holds: ({ fault, game, away }) => fault === 'censor' && game === 'in-flight' && away === 'all-but-a-watcher',
    reason:
      'a censored payment is carried out by its payer or payee: with both away it never happened, which is the cell of `none`',
  },
]

/** Why the cell makes no sense; undefined for one that is played. */
export function reasonAgainst(cell: Omit<Cell, 'seed'>): string | undefined {
  return notApplicable.find(({ holds }) => holds(cell))?.reason
}

/** Every cell that makes sense, with this seed. */
export function fullMatrix(seed: number): Cell[] {
  const all = FAULTS.flatMap((fault) =>
    GAMES.flatMap((game) => AWAY.map((away) => ({ fault, game, away, seed }) satisfies Cell)),
  )
  return all.filter((cell) => reasonAgainst(cell) === undefined)
}

/**
 * A part of the matrix in which every pair (fault, game), (fault, away) and (game, away) that makes sense stands at least once, and few stand
 * more often. Another seed gives another part.
 */
export function pairwise(seed: number): Cell[] {
  const cells = fullMatrix(seed)
  const start = (seed * 7_919) % cells.length
  const rotated = [...cells.slice(start), ...cells.slice(0, start)]
  const missing = new Set(rotated.flatMap(pairsOf))
  const chosen: Cell[] = []
  while (missing.size > 0) {
    const news = (cell: Cell) => pairsOf(cell).filter((pair) => missing.has(pair)).length
    const best = rotated.reduce((a, b) => (news(b) > news(a) ? b : a))
    chosen.push(best)
    for (const pair of pairsOf(best)) missing.delete(pair)
  }
  return chosen
}

export function pairsOf({ fault, game, away }: Omit<Cell, 'seed'>): string[] {
  return [`${fault} ${game}`, `${fault} ${away}`, `${game} ${away}`]
}

/** The line that plays this cell again. */
export function lineOf({ fault, game, away, seed }: Cell): string {
  return `npm run cheaters -- --fault ${fault} --game ${game} --offline ${away} --seed ${seed}`
}

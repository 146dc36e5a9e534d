/**
 * The rules of the exit games as the explorer knows them: periods in ticks and the amendments that can be switched off one at a time
 * (`docs/spec.md` 4 to 6, 8 and 10). Written from the text alone; nothing here is shared with the contracts or the watcher.
 */

/** Each amendment of the protocol's drafts that the explorer can take out. The text is what the protocol does with it. */
export const AMENDMENTS = {
  C1: 'a spend is invalid from the lock on, judged by the anchor',
  C2: 'what a halt voids is void in disputes too, judged at the turn and at the verdict',
  C3: 'evidence is judged when it decides; what fell counts as none',
  C4: 'a transaction that is in no block is no evidence',
  C5: 'the windows add up: ANCHOR_AGE + DC + DR + REACTION <= MEP/2',
  C6: 'a dispute is as young as its youngest input that is no deposit, counted from its start',
  C7: 'one verdict for all tokens',
  H1: 'nothing moves the halt later than the time of its block + MEP',
  H4: 'evidence only from blocks anchored before the lock',
  K2: 'a move of the halt lets everything unpaid wait in its place, reserved; a close is no move',
  K3: 'a dispute only suspends, in place and reserved, and not later than E - MEP/4',
  K5: 'an output may leave after a canonical verdict at any time',
  K6: 'evidence by a transaction that was never valid falls by proof',
  K7: 'a verdict ends the suspension',
  'H-A': 'an exit through a dispute matures no sooner than MEP after its own start',
  'H-C': 'pieces of evidence add up',
  P2: 'outputs may start their exits while the dispute runs',
  P4: 'evidence removes only once its block is final, until then it postpones, in place and reserved',
  P9b: 'the verdict does not wait for the queue',
  R17: 'a proof that comes too late to halt still takes the transaction away',
  V3: "a proof that an input was spent needs its owner's witness in the earlier spend",
  D1: 'evidence removes an exit only after its E, also where a move of the halt set it',
  F10: 'DR is at least REACTION (found by this explorer; the constructor does not ask for it)',
  F11: 'a data challenge that nobody answered in time halts, also when the body has come since (found by this explorer)',
  F1: 'the place of a ticket that a verdict cancels is for the outputs of the transaction (found by this explorer)',
  F4: 'a transaction that was judged not canonical is no evidence against its inputs (found by this explorer)',
  F9: 'evidence removes an exit no sooner than REACTION after it matured (found by this explorer; not in the contracts)',
  F8: 'a transaction is no evidence once another of its inputs was paid out (found by this explorer; not in the contracts)',
} as const

/** What the contracts don't have, knowingly. Scenarios of halts are explored without these as well. */
export const NOT_IN_CONTRACTS: readonly Amendment[] = ['F8', 'F9']

/** The name of an amendment. */
export type Amendment = keyof typeof AMENDMENTS

/** Periods in ticks, and what is switched off. One tick holds one L1 block: an anchor is the number of an earlier tick. */
export interface Rules {
  readonly mep: number
  /** A block may carry an anchor this many ticks old. One more than MEP/8, since the last anchor before a lock is a tick older than the lock. */
  readonly anchorAge: number
  readonly dc: number
  readonly dr: number
  readonly reaction: number
  readonly off: ReadonlySet<Amendment>
}

/**
 * Rules with windows that add up exactly: the last legal spend of an output locked at L is submitted at L + MEP/8, forced out by + DC + DR = MEP/4, and
 * answered by + REACTION = MEP/8, which is L + MEP/2. Without C5, DC + DR is MEP/2. `mep` is a multiple of 8.
 */
export function createRules(off: readonly Amendment[] = [], mep = 8): Rules {
  const eighth = mep / 8
  const data = off.includes('C5') ? 2 * eighth : eighth
  const dr = off.includes('F10') ? data - 1 : data
  return { mep, anchorAge: eighth + 1, dc: data, dr, reaction: eighth, off: new Set(off) }
}

/** Whether the amendment is in force. */
export function on(rules: Rules, amendment: Amendment): boolean {
  return !rules.off.has(amendment)
}

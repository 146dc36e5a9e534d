/**
 * In which tokens the line is looked at (docs/spec.md section 5.5): each is a question to L1's endpoint at every tick, and whoever makes tokens
 * and locks a mass exit in each must not use up what the endpoint answers. Where it counts it is asked always, elsewhere in turns.
 */
import type { Address } from '../protocol/bytes.ts'
import type { BatchRecord } from './court/batchTypes.ts'
import type { World } from './court/types.ts'
import type { ExitRecord } from './facts.ts'

/** Of those that a mass exit of somebody who trusts us waits in, and as many of all others, for each L1 block. */
export const TOKENS_IN_TURN = 32

export type Line = Readonly<{
  /** Queued exits and tickets. */
  open: readonly ExitRecord[]
  /** Locked mass exits. */
  locked: readonly BatchRecord[]
  /** Of these our own, and those that name an output of somebody whom we act for. */
  ours: readonly BatchRecord[]
  world: Pick<World, 'policy' | 'protectedOwners' | 'now'>
}>

/**
 * Tokens in which a ticket or a share waits, each once: all that have a price, all in which an exit of a protected owner or of ours is open, and
 * of the rest some, others at every L1 block.
 */
export function tokensToRead({
  open,
  locked,
  ours,
  world: { policy, protectedOwners, now },
}: Line): readonly Address[] {
  const waiting = new Set([
    ...open.filter(({ state }) => state === 'ticket').map(({ exit }) => exit.token),
    ...locked.filter(({ uses, batch }) => uses.size < batch.count).map(({ batch }) => batch.token),
  ])
  const own = open.filter(({ exit }) => protectedOwners.has(exit.owner) || exit.payer === policy.sender)
  const always = new Set([...policy.priceWei.keys(), ...own.map(({ exit }) => exit.token)])
  const trusted = new Set(ours.map(({ batch }) => batch.token))
  const rest = [...waiting].filter((token) => !always.has(token))
  return [
    ...[...waiting].filter((token) => always.has(token)),
    ...inTurn(
      rest.filter((token) => trusted.has(token)),
      now.block,
    ),
    ...inTurn(
      rest.filter((token) => !trusted.has(token)),
      now.block,
    ),
  ]
}

function inTurn(all: readonly Address[], round: number): readonly Address[] {
  if (all.length <= TOKENS_IN_TURN) return all
  const from = (round * TOKENS_IN_TURN) % all.length
  return [...all.slice(from), ...all.slice(0, from)].slice(0, TOKENS_IN_TURN)
}

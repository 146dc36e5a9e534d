/**
 * What L1 says about the operator's own money (docs/spec.md sections 8.6 and 8.7): its bond after each change, and the ranges of its
 * blocks that somebody demands. Folded from the surety's events; an L1 reorg takes back what the dropped blocks brought.
 */
import type { RootEvent } from '../l1/rootEvents.ts'
import type { DataChallenge } from '../protocol/dataChallenge.ts'
import { bug } from '../protocol/errors.ts'
import type { Database } from '../service/database.ts'
import type { Log } from '../service/log.ts'

/** Wei. */
export type Bond = Readonly<{ wei: bigint; slashedWei: bigint }>

export type SuretyBook = Readonly<{
  /** What L1 holds of it now; nothing before the first event. */
  bond(): Bond
  /** Neither answered nor ended, the first deadline first. */
  openChallenges(): DataChallenge[]
  /** Folds an event in; inside the caller's store transaction, as the next. */
  apply(event: RootEvent): void
  takeBack(ancestor: number): void
}>

export function createSuretyBook({ db, log }: Readonly<{ db: Database; log: Log }>): SuretyBook {
  const insertBond = db.prepare('INSERT OR REPLACE INTO bonds (l1_block, log_index, wei, slashed) VALUES (?, ?, ?, ?)')
  const selectBond = db.prepare<[], { wei: string; slashed: string }>(
    'SELECT wei, slashed FROM bonds ORDER BY l1_block DESC, log_index DESC LIMIT 1',
  )
  const dropBonds = db.prepare('DELETE FROM bonds WHERE l1_block > ?')
  const insertChallenge = db.prepare(
    'INSERT OR REPLACE INTO data_challenges (block, first, levels, challenge, l1_block) VALUES (?, ?, ?, ?, ?)',
  )
  const close = db.prepare('UPDATE data_challenges SET closed_at = ? WHERE block = ? AND first = ? AND levels = ?')
  const selectOpen = db.prepare<[], { challenge: string }>(
    'SELECT challenge FROM data_challenges WHERE closed_at IS NULL ORDER BY l1_block, block, first',
  )
  const dropChallenges = db.prepare('DELETE FROM data_challenges WHERE l1_block > ?')
  const reopen = db.prepare('UPDATE data_challenges SET closed_at = NULL WHERE closed_at > ?')

  function bond(): Bond {
    const row = selectBond.get()
    return row ? { wei: BigInt(row.wei), slashedWei: BigInt(row.slashed) } : { wei: 0n, slashedWei: 0n }
  }

  function setBond({ at }: RootEvent, wei: bigint, slashedWei: bigint): void {
    insertBond.run(at.l1Block, at.logIndex, String(wei), String(slashedWei))
  }

  return {
    bond,
    openChallenges: () =>
      selectOpen
        .all()
        .map(({ challenge }) => parseChallenge(challenge))
        .sort((a, b) => a.startedAt - b.startedAt),
    apply: (event) => {
      const { l1Block } = event.at
      switch (event.type) {
        case 'BondPosted':
          setBond(event, event.bond, bond().slashedWei)
          return
        case 'BondTaken':
          setBond(event, 0n, bond().slashedWei)
          return
        case 'BondSlashed':
          setBond(event, event.bond, bond().slashedWei + event.taken)
          log.error('bond.slashed', { got: event.taken, left: event.bond, reporter: event.reporter, l1Block })
          return
        case 'DataChallenged': {
          const { blockNumber, first, levels } = event.challenge
          insertChallenge.run(blockNumber, first, levels, printChallenge(event.challenge), l1Block)
          log.warn('data.challenged', { block: blockNumber, first, levels, l1Block })
          return
        }
        case 'DataRevealed':
        case 'DataChallengeEnded':
          close.run(l1Block, event.blockNumber, event.first, event.levels)
          return
        default:
          return
      }
    },
    takeBack: (ancestor) => {
      dropBonds.run(ancestor)
      dropChallenges.run(ancestor)
      reopen.run(ancestor)
    },
  }
}

function printChallenge({ bond, ...rest }: DataChallenge): string {
  return JSON.stringify({ ...rest, bond: String(bond) })
}

function parseChallenge(text: string): DataChallenge {
  const { bond, ...rest } = JSON.parse(text) as Omit<DataChallenge, 'bond'> & { bond: unknown }
  if (typeof bond === 'string') return { ...rest, bond: BigInt(bond) }
  throw bug('CHALLENGE_ROW', 'a stored data challenge has no bond', { got: text, want: 'a challenge' })
}

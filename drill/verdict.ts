/** What a drill is judged by: the invariants of docs/invariants.md, over the books, L1's events and who did what. Pure. */
import type { RootEvent } from '../l1/rootEvents.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import type { Actor } from './actors.ts'
import type { LostBond } from './costs.ts'
import { type Account, type Books, stillOwed } from './ledger.ts'
import type { Finding } from './record.ts'
import { judgeMassExits, type MassExitEvidence } from './verdictMassExits.ts'

/** `held`: of the root contract on L1; `credits`: owed to accounts by name; `bonds`: of exits and disputes that are open. */
export type Vault = Readonly<{ token: Address; symbol: string; held: bigint; credits: bigint; bonds: bigint }>

export type Evidence = Readonly<{
  books: Books
  accounts: readonly Account[]
  vaults: readonly Vault[]
  actors: readonly Actor[]
  events: readonly RootEvent[]
  /** Who sent which transaction. */
  senderOf: ReadonlyMap<Hash, Address>
  lostBonds: readonly LostBond[]
  massExits?: MassExitEvidence
}>

export function judge(evidence: Evidence): Finding[] {
  return [
    judgeOwners(evidence),
    judgeTwice(evidence),
    judgeThefts(evidence),
    ...evidence.vaults.map((vault) => judgeVault(evidence, vault)),
    judgeBonds(evidence),
    judgeWatchers(evidence),
    judgeVoid(evidence),
    ...(evidence.massExits ? judgeMassExits({ ...evidence, massExits: evidence.massExits }) : []),
  ]
}

function judgeOwners({ accounts, actors }: Evidence): Finding {
  const honest = new Map(actors.filter((one) => one.honest).map((one) => [one.address, one.name]))
  const short = accounts.filter(({ owner, owed, after }) => honest.has(owner) && after < owed)
  const detail =
    short.length === 0
      ? 'every honest owner has at least what he is owed, to the unit'
      : short
          .map(({ owner, token, owed, after }) => `${honest.get(owner)} has ${after} of ${owed} of ${token}`)
          .join('; ')
  return { invariant: 'EXIT-2', held: short.length === 0, detail }
}

function judgeTwice({ books }: Evidence): Finding {
  const { paidTwice } = books
  const detail = paidTwice.length === 0 ? 'no output was paid twice' : `paid twice: ${paidTwice.join(', ')}`
  return { invariant: 'EXIT-3', held: paidTwice.length === 0, detail }
}

function judgeThefts({ books }: Evidence): Finding {
  const { paidWrongly } = books
  const detail =
    paidWrongly.length === 0
      ? 'nothing was paid for an output that was spent or never was'
      : `paid: ${paidWrongly.map(({ outputId, amount }) => `${amount} for ${outputId}`).join(', ')}`
  return { invariant: 'EXIT-1', held: paidWrongly.length === 0, detail }
}

function judgeVault({ books }: Evidence, { token, symbol, held, credits, bonds }: Vault): Finding {
  const owed = stillOwed(books, token)
  const covers = held >= owed + credits + bonds
  const parts = `${owed} of outputs, ${credits} of credits and ${bonds} of bonds`
  return {
    invariant: 'FUNDS-1',
    held: covers,
    detail: `${symbol}: the vault holds ${held} and ${covers ? 'covers' : 'does not cover'} ${parts}`,
  }
}

function judgeBonds({ lostBonds, actors }: Evidence): Finding {
  const honest = new Map(actors.filter((one) => one.honest).map((one) => [one.address, one.name]))
  const wrong = lostBonds.filter(({ payer, expected }) => !expected && honest.has(payer))
  const detail =
    wrong.length === 0
      ? 'no honest actor lost a bond'
      : wrong.map(({ payer, wei, what }) => `${honest.get(payer)} lost ${wei} wei: ${what}`).join('; ')
  return { invariant: 'BOND-1', held: wrong.length === 0, detail }
}

/** Evidence or a strike by a watcher against what is unspent in the honest view. */
function judgeWatchers({ books, actors, events, senderOf }: Evidence): Finding {
  const watchers = new Set(actors.filter((one) => one.role === 'watcher').map(({ address }) => address))
  const unspentAt = new Set([...books.outputs.values()].flatMap(({ spent, position }) => (spent ? [] : [position])))
  const wrong = events.flatMap((event): string[] => {
    if (!watchers.has(senderOf.get(event.at.txHash) ?? '0x')) return []
    if (event.type === 'EntryStruck') return unspentAt.has(event.position) ? [`output ${event.position}`] : []
    if (event.type !== 'EvidenceShown') return []
    return books.outputs.get(event.outputId)?.spent === false ? [event.outputId] : []
  })
  const detail =
    wrong.length === 0 ? 'no watcher acted against a valid exit' : `acted against valid exits: ${wrong.join(', ')}`
  return { invariant: 'WATCH-1', held: wrong.length === 0, detail }
}

/** Once halted, nothing of a void block is paid. A void output is none that the honest view knows. */
function judgeVoid({ books, events }: Evidence): Finding {
  const halted = events.some(({ type }) => type === 'HaltMoved')
  const wrong = books.paidWrongly.filter(({ outputId }) => !books.outputs.has(outputId))
  const detail = !halted
    ? 'the chain was not halted'
    : wrong.length === 0
      ? 'the chain was halted, and nothing void was paid'
      : `paid though void: ${wrong.map(({ outputId }) => outputId).join(', ')}`
  return { invariant: 'HALT-3', held: !halted || wrong.length === 0, detail }
}

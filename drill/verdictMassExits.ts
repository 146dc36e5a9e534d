/** What a drill judges mass exits by: MASS-1 to MASS-5 of docs/invariants.md, over the books and L1's events. Pure. */
import type { Address, Hash } from '../protocol/bytes.ts'
import type { Mandate } from '../protocol/mandate.ts'
import type { Actor } from './actors.ts'
import { type BookedBatch, bountyOf } from './batches.ts'
import type { BookedOutput, Books, HonestBlock } from './ledger.ts'
import type { Finding } from './record.ts'

export type MassExitEvidence = Readonly<{
  batches: ReadonlyMap<Hash, BookedBatch>
  /** Whatever somebody honest signed. */
  mandates: readonly Mandate[]
  /** Valid blocks that stand. */
  blocks: readonly HonestBlock[]
  minExitPeriod: number
}>

type Evidence = Readonly<{ books: Books; actors: readonly Actor[]; massExits: MassExitEvidence }>

/** Nothing where nobody started one. */
export function judgeMassExits(evidence: Evidence): Finding[] {
  if (evidence.massExits.batches.size === 0) return []
  return [
    judgeShares(evidence),
    judgeStrikes(evidence),
    judgePlaces(evidence),
    judgeEvictions(evidence),
    judgeCoordinators(evidence),
    judgeLocks(evidence),
  ]
}

function finding(invariant: string, wrong: readonly string[], right: string): Finding {
  return { invariant, held: wrong.length === 0, detail: wrong.length === 0 ? right : wrong.join('; ') }
}

const all = ({ massExits }: Evidence): readonly BookedBatch[] => [...massExits.batches.values()]

const short = (id: Hash) => id.slice(0, 10)

/** The output that an entry names, as the honest view has it. */
function named({ books }: Evidence): (batch: BookedBatch, index: number) => BookedOutput | undefined {
  const at = new Map([...books.outputs.values()].map((output) => [output.position, output]))
  return ({ batch, entries }, index) => {
    const entry = entries[index]
    const output = at.get(entry?.position)
    return output && output.token === batch.token && output.amount === entry?.amount ? output : undefined
  }
}

function judgeShares(evidence: Evidence): Finding {
  const wrong = all(evidence).flatMap(({ id, uses }) =>
    [...uses].flatMap(([index, done]) =>
      done.length > 1
        ? [`the share of entry ${index} of mass exit ${short(id)} was ${done.map(({ kind }) => kind).join(' and ')}`]
        : [],
    ),
  )
  const twice = evidence.books.paidTwice.map((outputId) => `two doors paid output ${outputId}`)
  return finding(
    'MASS-1',
    [...wrong, ...twice],
    'every share was used once at most, and no output was paid by two doors',
  )
}

/** A strike counts by what the owner signed; anything else is never looked at. */
function judgeStrikes(evidence: Evidence): Finding {
  const nameOf = named(evidence)
  let struck = 0
  const wrong = all(evidence).flatMap((batch) =>
    batch.strikes.flatMap(({ position, signer }) => {
      const index = batch.entries.findIndex((entry) => entry.position === position)
      const output = nameOf(batch, index)
      if (output?.owner !== signer) return []
      struck++
      return evidence.books.paid.has(output.outputId) ? [`output ${position} was struck in time, and was paid`] : []
    }),
  )
  const right = struck === 0 ? 'nothing was struck' : `none of ${struck} struck entries was paid, by whatever door`
  return finding('MASS-2', wrong, right)
}

function judgePlaces(evidence: Evidence): Finding {
  const { books, massExits } = evidence
  const nameOf = named(evidence)
  let places = 0
  const wrong = all(evidence).flatMap((batch) => {
    const { lockedAt, exitableAt, uses, reserved } = batch
    if (!lockedAt || exitableAt === undefined) return []
    places++
    const { madeAt, total } = batch.batch
    const own = lockedAt.l1Timestamp + massExits.minExitPeriod
    const young = madeAt === 0 ? 0 : madeAt + 2 * massExits.minExitPeriod
    const want = Math.max(own, young)
    const told: string[] = []
    if (exitableAt !== want) told.push(`mass exit ${short(batch.id)} has its turn at ${exitableAt}, not at ${want}`)
    if (reserved !== undefined && reserved !== total)
      told.push(`mass exit ${short(batch.id)} reserved ${reserved} of ${total}`)
    for (const [index, [first]] of uses) {
      const output = nameOf(batch, index)
      if (first?.kind !== 'released' || !output || output.spent || books.paid.has(output.outputId)) continue
      told.push(`the share of entry ${index} was freed, and output ${output.position} was not paid`)
    }
    return told
  })
  return finding(
    'MASS-3',
    wrong,
    `${places} mass exit${places === 1 ? '' : 's'} had the place of an exit that starts at the lock, and kept it`,
  )
}

/** On a live chain only who asked for it is taken out. */
function judgeEvictions(evidence: Evidence): Finding {
  const { actors, massExits } = evidence
  const honest = new Map(actors.filter((one) => one.honest).map(({ address, name }) => [address, name]))
  const nameOf = named(evidence)
  const wrong = all(evidence).flatMap((batch) => {
    if (batch.voidFromAtLock !== 0) return []
    const { coordinator } = batch.batch
    const evicted = batch.entries.flatMap((_, index) => {
      const owner = nameOf(batch, index)?.owner
      return owner && honest.has(owner) && !asked(owner, coordinator, massExits.mandates) ? [honest.get(owner)] : []
    })
    return evicted.length === 0
      ? []
      : [`mass exit ${short(batch.id)} took out ${[...new Set(evicted)].join(', ')}, who had asked for nothing`]
  })
  return finding('MASS-4', wrong, 'nobody honest was locked by a mass exit on a live chain without having asked for it')
}

const NOBODY = /^0x0+$/

function asked(owner: Address, coordinator: Address, mandates: readonly Mandate[]): boolean {
  return mandates.some((one) => one.owner === owner && (one.delegate === coordinator || NOBODY.test(one.delegate)))
}

/** What comes back is the bond less the turn's bounty and what removals took, to the gwei in which the fund is kept. */
function judgeCoordinators(evidence: Evidence): Finding {
  const honest = new Map(evidence.actors.filter((one) => one.honest).map(({ address, name }) => [address, name]))
  const wrong = all(evidence).flatMap((book) => {
    const { batch, dissolved, returned, removals, bondLeft, id } = book
    const name = honest.get(batch.coordinator)
    if (name === undefined) return []
    if (dissolved && dissolved.demanded !== null) return [`${name} lost the bond of mass exit ${short(id)}`]
    if (returned === undefined || bondLeft === 0n) return []
    const want = batch.bond - bountyOf(book) - removals
    return [`${name} got ${returned} wei back of a bond of ${batch.bond}, and ${bondLeft} too little of ${want}`]
  })
  return finding('MASS-4', wrong, 'no honest coordinator lost more than what removing entries costs')
}

/** No valid block that knew of the lock spends what the batch named. */
function judgeLocks(evidence: Evidence): Finding {
  const { massExits } = evidence
  const nameOf = named(evidence)
  const lockOf = new Map<number, number>()
  for (const batch of all(evidence)) {
    const { lockedAt, entries } = batch
    if (!lockedAt) continue
    for (const [index, { position }] of entries.entries()) {
      if (nameOf(batch, index) === undefined) continue
      lockOf.set(position, Math.min(lockedAt.l1Block, lockOf.get(position) ?? Number.MAX_SAFE_INTEGER))
    }
  }
  const wrong = massExits.blocks.flatMap(({ number, anchor, transactions }) =>
    transactions.flatMap(({ transaction }) =>
      transaction.inputs.flatMap((input) => {
        const lock = lockOf.get(input)
        return lock !== undefined && anchor !== undefined && anchor >= lock
          ? [`block ${number} stands although it spends output ${input}, which a mass exit had locked before`]
          : []
      }),
    ),
  )
  return finding(
    'MASS-5',
    wrong,
    `no block that stands spends any of ${lockOf.size} outputs after mass exits locked them`,
  )
}

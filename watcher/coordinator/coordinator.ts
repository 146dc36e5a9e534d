/**
 * The coordinator of mass exits (docs/spec.md section 6.4; docs/honest-watcher.md "Mass exits"): knows the crowd that trusts this watcher, and
 * takes it out together when the chain is unsafe; after a halt everybody whose unspent output it knows. It decides nothing that the plan and the
 * rules do not; what it remembers is who trusts it, and what is on its way to L1.
 */
import type { Address, Hash } from '../../protocol/bytes.ts'
import { batchBond, batchDeadlines } from '../../protocol/massExit.ts'
import { decodePosition, encodePosition, isDepositPosition } from '../../protocol/position.ts'
import type { BatchBook } from '../batchBook.ts'
import type { BlockStore } from '../blockStore.ts'
import type { StartBatch } from '../court/batchActions.ts'
import type { BatchRecord } from '../court/batchTypes.ts'
import { budgetAt, feeGweiOf, worthOf } from '../court/policy.ts'
import type { Ward } from '../court/protectedExit.ts'
import { judge } from '../court/rules.ts'
import type { Effect, L1Readings, World } from '../court/types.ts'
import type { DisputeBook } from '../disputeBook.ts'
import type { Facts, ProtectedOutput } from '../facts.ts'
import type { Ledger, StoredOutput } from '../ledger.ts'
import type { Protection } from '../protection.ts'
import type { Draft, Drafts } from './drafts.ts'
import type { MandateBook, StoredMandate } from './mandateBook.ts'
import { bondFor, type Candidate, CLAIM_GAS, gasOf, type MassExitPlan, type Means, planBatches } from './plan.ts'

const OUTPUT_PAGE = 1_000
/** Outputs looked at in one plan. More leave with the next one. */
const MOST_CANDIDATES = 100_000
/** Outputs passed by for each that one plan may have: the ledger may hold any number of them. */
const MOST_LOOKED_AT = 10

export type CoordinatorParts = Readonly<{
  ledger: Pick<Ledger, 'find' | 'unspentOf' | 'unspent'>
  blocks: Pick<BlockStore, 'find' | 'verifiedBlock'>
  batches: BatchBook
  disputes: Pick<DisputeBook, 'madeAt'>
  facts: Facts
  mandates: MandateBook
  protection: Protection
  drafts: Drafts
  /** Our address; mandates name it or nobody. Undefined without a key: then nothing is started. */
  sender: Address | undefined
  /** Outputs looked at in one plan. Default 100,000. */
  mostCandidates?: number | undefined
}>

export type Coordinator = ReturnType<typeof createCoordinator>

type Word = Pick<StoredMandate, 'digest'>

export function createCoordinator(parts: CoordinatorParts) {
  const { ledger, blocks, batches, disputes, facts, mandates, protection, drafts, sender } = parts
  const { mostCandidates = MOST_CANDIDATES } = parts
  let known: Readonly<{ at: string; candidates: readonly Candidate[] }> | undefined
  let shown: Readonly<{ at: string; plan: MassExitPlan }> | undefined

  /** The last moment at which a batch that is decided on now may start. */
  function untilOf({ now, parameters }: World): number {
    return now.timestamp + Math.floor(parameters.minExitPeriod / 8)
  }

  function toCandidate(
    output: StoredOutput,
    word: Word | undefined,
    disputed: ReadonlySet<number>,
    world: World,
  ): Candidate {
    const { position, owner, token, amount, depositedAt, lockedAt } = output
    const { block } = decodePosition(position)
    const isDeposit = isDepositPosition(position)
    const child = block === 0 ? undefined : blocks.find(block)
    const { finalised } = world.now
    // A deposit's youth is its block's too: both must be what they are for good.
    const isFinal = (depositedAt ?? 0) <= finalised && (child === undefined || child.l1Block <= finalised)
    const isProvable = (isDeposit || block <= blocks.verifiedBlock()) && (block === 0 || child !== undefined)
    const standing = standingAt(position, token, amount, world)
    return {
      position,
      owner,
      token,
      amount,
      madeAt: child?.header.timestamp ?? 0,
      isProvable,
      isFinal,
      isTaken: lockedAt !== undefined || disputed.has(position - (position % 16)),
      ...(standing && { inBatch: standing }),
      ...(word && { mandate: word.digest }),
    }
  }

  /** Ours before any other: a stranger's that is not worth waiting for must not hide that the output is on its way. */
  function standingAt(position: number, token: Address, amount: bigint, world: World): Candidate['inBatch'] {
    const standing = batches.naming(position).flatMap(({ batchId, entry }) => {
      const record = batches.record(batchId)
      if (!record || record.batch.token !== token || entry.amount !== amount || !isLockable(record, world)) return []
      const { coordinator, startedAt } = record.batch
      return [{ batchId, startedAt, isOurs: coordinator === sender }]
    })
    return standing.find(({ isOurs }) => isOurs) ?? standing[0]
  }

  function wordFor({ owner, position, amount }: StoredOutput, world: World): Word | undefined {
    const wanted = { owner, position, amount, from: world.now.timestamp, until: untilOf(world) }
    return mandates.covering(wanted)
  }

  /** Protected owners' mandates are kept beside the others, so that demands are answered from one place. */
  function adoptProtected(): void {
    for (const { mandate, signature, addedAt } of protection.all()) {
      if (mandates.of(mandate.owner).some((kept) => kept.signature === signature)) continue
      try {
        mandates.add({ mandate, signature }, addedAt)
      } catch {
        // Over or revoked: the protected account itself tells.
      }
    }
  }

  function owners(): readonly Address[] {
    const all: Address[] = []
    for (let cursor = ''; ; ) {
      const page = mandates.owners(cursor, OUTPUT_PAGE)
      all.push(...page)
      if (page.length < OUTPUT_PAGE) return all
      cursor = page.at(-1) ?? ''
    }
  }

  /**
   * From another place on in every L1 block: whoever has many outputs that nobody can pay the bond for must not stand before all others in every
   * plan.
   */
  function* outputs({ voidFrom, now }: World): Generator<StoredOutput> {
    const draw = Number.parseInt(now.hash.slice(2, 14), 16)
    if (voidFrom !== 0) {
      const first = draw % encodePosition({ block: blocks.verifiedBlock() + 1, index: 0, output: 0 })
      yield* pagesOf((cursor) => ledger.unspent(cursor, OUTPUT_PAGE), first - 1)
      for (const output of pagesOf((cursor) => ledger.unspent(cursor, OUTPUT_PAGE), -1)) {
        if (output.position >= first) return
        yield output
      }
      return
    }
    const all = owners()
    const first = draw % Math.max(1, all.length)
    for (const owner of [...all.slice(first), ...all.slice(0, first)])
      yield* pagesOf((cursor) => ledger.unspentOf(owner, cursor, OUTPUT_PAGE), -1)
  }

  /** What is worth little by the base fee, or is of unknown worth, has room of its own: nobody may fill the page with it. */
  function candidates(world: World, baseFeeWei: bigint): readonly Candidate[] {
    const at = `${world.now.hash} ${world.now.finalised} ${world.verifiedBlock} ${world.voidFrom} ${mandates.count()}`
    if (known?.at === at) return known.candidates
    const disputed = new Set(facts.disputes(0).flatMap(({ dispute }) => disputes.madeAt(dispute.txHash) ?? []))
    const room = { worthy: mostCandidates, unpriced: mostCandidates / 4, dust: mostCandidates / 4 }
    const found: Candidate[] = []
    let looked = 0
    for (const output of outputs(world)) {
      if (++looked > MOST_LOOKED_AT * mostCandidates || room.worthy <= 0) break
      // What is on its way out already must not fill the page.
      if (output.lockedAt !== undefined && world.voidFrom !== 0) continue
      const worth = worthOf(world.policy, output.token, output.amount)
      const kind = worth === undefined ? 'unpriced' : worth < CLAIM_GAS * baseFeeWei ? 'dust' : 'worthy'
      if (room[kind] <= 0) continue
      const word = wordFor(output, world)
      if (output.lockedAt === undefined && (word || world.voidFrom !== 0)) room[kind]--
      else if (room.dust-- <= 0) continue
      found.push(toCandidate(output, word, disputed, world))
    }
    known = { at, candidates: found }
    return found
  }

  /** Bonds of our own mass exits that stand. Wei. */
  function boundInBatches(): bigint {
    const standing = batches.current().filter(({ batch }) => batch.coordinator === sender)
    return standing.reduce((sum, { batch }) => sum + batch.bond, 0n)
  }

  /** Bonds of ours that stand, and those on their way, are not to be spent twice. */
  function meansOf(readings: L1Readings, sentWei: bigint, { policy }: World): Means {
    const { baseFeeWei, balanceWei } = readings
    const bound = boundInBatches() + sentWei
    const budget = policy.batchBondBudgetWei - bound
    const held = balanceWei - policy.challengeReserveWei - sentWei
    const least = budget < held ? budget : held
    return { baseFeeWei, feeGwei: feeGweiOf(readings), bondWei: least < 0n ? 0n : least }
  }

  /** Our batch on L1 with the entries of each draft, where there is one. */
  function draftsOnL1(): readonly Readonly<{ draft: Draft; started: BatchRecord | undefined }>[] {
    const all = drafts.all()
    if (all.length === 0) return []
    const ours = [...batches.current(), ...batches.locked()].filter(({ batch }) => batch.coordinator === sender)
    return all.map((draft) => {
      const started = ours.find(({ batch }) => batch.root === draft.root && batch.startedAt >= draft.madeAt)
      return { draft, started }
    })
  }

  function waitingDrafts(): readonly Draft[] {
    return draftsOnL1().flatMap(({ draft, started }) => (started ? [] : [draft]))
  }

  /** A draft is over once its batch is final, its time is over, or nothing that it names is left: what a reorg takes back is sent again as it was, not planned anew. */
  function openDrafts({ now }: World): readonly Draft[] {
    return draftsOnL1().flatMap(({ draft, started }) => {
      const isOver = started
        ? started.started.l1Block <= now.finalised
        : now.timestamp > draft.until || draft.entries.every(({ position }) => isGone(position))
      if (isOver) drafts.end(draft)
      return started || isOver ? [] : [draft]
    })
  }

  /** Somebody else takes it out, or it was spent. */
  function isGone(position: number): boolean {
    const output = ledger.find(position)
    return output === undefined || output.lockedAt !== undefined || output.spentBy !== undefined
  }

  function plan(world: World, means: Means, without: ReadonlySet<number>): MassExitPlan {
    const free = candidates(world, means.baseFeeWei).filter(({ position }) => !without.has(position))
    return planBatches({ candidates: free, means, world })
  }

  function toAction(draft: Draft, readings: L1Readings, availableWei: bigint, world: World): StartBatch {
    const { policy } = world
    const { entries, token, key, root, madeAt, until, isMandated } = draft
    const feeGwei = feeGweiOf(readings)
    const last = decodePosition(entries.at(-1)?.position ?? 0).block
    const lastBlock = last === 0 ? undefined : facts.header(last)
    const window = { from: madeAt, until }
    return {
      type: 'start-batch',
      key: `batch:${key}`,
      root,
      purpose: `take ${entries.length} outputs of many owners out together`,
      notBefore: madeAt,
      deadline: until,
      budgetWei: budgetAt((policy.exitFloorWei * gasOf(entries.length)) / 300_000n, window, world.now.timestamp),
      token,
      entries,
      ...(lastBlock && { lastBlock }),
      leastBondWei: batchBond(entries.length, feeGwei),
      bondWei: bondFor(entries.length, feeGwei),
      costWei: (gasOf(entries.length) * readings.baseFeeWei * 3n) / 2n,
      baseFeeWei: readings.baseFeeWei,
      availableWei,
      isMandated,
    }
  }

  /** Outputs that leave together: not one by one as well. */
  function isCovered({ position, entries = [] }: ProtectedOutput, drafted: ReadonlySet<number>, world: World): boolean {
    // Of a vault that is short whoever is earlier is served, and the place of a batch comes MEP/4 later.
    const isTooLate = world.safety.status === 'unsafe' && world.safety.reason === 'short'
    if (drafted.has(position) && !isTooLate) return true
    return entries.some(({ batchId, item, isShut }) => {
      if (item !== undefined) return !isShut
      if (isTooLate) return false
      const record = batches.record(batchId)
      return record !== undefined && record.batch.coordinator === sender && isLockable(record, world)
    })
  }

  return {
    sender,
    mandates,

    /** What would be done now, for people: reckoned once for each state of things, whoever asks. Writes nothing. */
    preview(world: World, readings: L1Readings): MassExitPlan {
      const waiting = waitingDrafts()
      const means = meansOf(readings, 0n, world)
      const at = [
        ...[world.now.hash, world.now.finalised, world.verifiedBlock, world.voidFrom, wordOf(world.safety)],
        ...[mandates.count(), means.baseFeeWei, means.feeGwei, means.bondWei, ...waiting.map(({ key }) => key)],
      ].join(' ')
      if (shown?.at !== at) {
        const drafted = new Set(waiting.flatMap(({ entries }) => entries.map(({ position }) => position)))
        shown = { at, plan: plan(world, means, drafted) }
      }
      return shown.plan
    },

    drafts: waitingDrafts,

    /** Starts of what was decided on and is not on L1 yet, as they stand now. Writes nothing. */
    onTheirWay(readings: L1Readings, world: World): readonly Effect[] {
      const availableWei = readings.balanceWei - world.policy.challengeReserveWei
      return waitingDrafts().flatMap((draft) => judge(toAction(draft, readings, availableWei, world), world))
    },
    boundInBatches,

    /**
     * Batches to be started, and what is left for exits one by one: outputs of protected owners that leave together are taken out of `wards`,
     * those of other owners who gave a mandate and leave alone are added. Inside the caller's tick; drafts are written down first.
     */
    propose(
      wards: readonly Ward[],
      readings: L1Readings,
      world: World,
    ): Readonly<{ effects: readonly Effect[]; wards: readonly Ward[]; boundWei: bigint }> {
      mandates.prune()
      adoptProtected()
      const open = [...openDrafts(world)]
      const drafted = new Set(open.flatMap(({ entries }) => entries.map(({ position }) => position)))
      const guests: Ward[] = []
      if (sender && world.safety.status === 'unsafe' && world.policy.batchBondBudgetWei > 0n) {
        const sent = open.reduce((sum, draft) => sum + toAction(draft, readings, 0n, world).bondWei, 0n)
        const planned = plan(world, meansOf(readings, sent, world), drafted)
        for (const batch of planned.batches) {
          const draft = drafts.add(batch, world.now.timestamp, untilOf(world))
          mandates.keep(batch.mandates, draft.until + world.parameters.minExitPeriod)
          open.push(draft)
          for (const { position } of batch.entries) drafted.add(position)
        }
        guests.push(...guestsOf(planned.singles, world))
      }
      let availableWei = readings.balanceWei - world.policy.challengeReserveWei
      let boundWei = 0n
      const effects = open.flatMap((draft) => {
        const action = toAction(draft, readings, availableWei, world)
        const judged = judge(action, world)
        if (judged.includes(action)) {
          availableWei -= action.bondWei + action.costWei
          boundWei += action.bondWei + action.costWei
        }
        return judged
      })
      const alone = wards.map((ward) => {
        return { ...ward, outputs: ward.outputs.filter((output) => !isCovered(output, drafted, world)) }
      })
      return { effects, wards: [...alone, ...spareWards(alone), ...guests], boundWei }
    },
  }

  /** Owners who only gave a mandate, for outputs that are too few for a batch: each by the mandate that covers it. */
  function guestsOf(singles: readonly Candidate[], world: World): readonly Ward[] {
    const byWord = new Map<Hash, { owner: Address; positions: Set<number> }>()
    for (const { owner, position, mandate } of singles) {
      if (world.protectedOwners.has(owner) || mandate === undefined) continue
      const group = byWord.get(mandate) ?? { owner, positions: new Set() }
      byWord.set(mandate, group)
      group.positions.add(position)
    }
    return [...byWord].flatMap(([wanted, { owner, positions }]): Ward[] => {
      const word = mandates.of(owner).find(({ digest }) => digest === wanted)
      if (!word) return []
      const outputs = [...positions].flatMap((position) =>
        facts
          .protectedOutputs(owner, { cursor: position - 1, limit: 1 })
          .filter((output) => output.position === position),
      )
      return [wardOf(word, outputs)]
    })
  }

  /** Protected owners once more, by each further mandate that they handed in: the one that protects them may be over. */
  function spareWards(wards: readonly Ward[]): readonly Ward[] {
    const known = new Set(wards.map(({ account }) => account.signature))
    const byOwner = new Map(wards.map((ward) => [ward.account.owner, ward.outputs]))
    return [...byOwner].flatMap(([owner, outputs]) =>
      mandates
        .of(owner)
        .filter(({ signature }) => !known.has(signature))
        .map((word) => wardOf(word, outputs)),
    )
  }

  function wardOf({ mandate, signature, addedAt }: StoredMandate, outputs: readonly ProtectedOutput[]): Ward {
    const { owner, epoch } = mandate
    return { account: { owner, mandate, signature, addedAt }, revoked: isRevoked(owner, epoch), outputs }
  }

  function isRevoked(owner: Address, epoch: number): boolean {
    return facts.revokedAt(owner, epoch) !== undefined
  }
}

function* pagesOf(read: (cursor: number) => readonly StoredOutput[], start: number): Generator<StoredOutput> {
  for (let cursor = start; ; ) {
    const page = read(cursor)
    yield* page
    if (page.length < OUTPUT_PAGE) return
    cursor = page.at(-1)?.position ?? cursor
  }
}

/** It is not lost yet: a lock, or an answer before it, can still come. Nobody has to dissolve what never locks anything. */
function isLockable({ state, batch, openDemands }: BatchRecord, { now, parameters }: World): boolean {
  const { answer, lock } = batchDeadlines(batch.startedAt, parameters.minExitPeriod)
  return state === 'started' && now.timestamp <= (openDemands > 0 ? answer : lock)
}

/** All of it that a plan rests on. */
function wordOf(safety: World['safety']): string {
  if (safety.status === 'safe') return safety.status
  return [safety.status, safety.reason, safety.block, 'lastSafeMoment' in safety && safety.lastSafeMoment].join(' ')
}

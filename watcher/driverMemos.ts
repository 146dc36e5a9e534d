/** What the court's driver keeps between ticks, so that a proof is built once: each entry holds as long as nothing it rests on moved. */
import type { Header } from '../protocol/block.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import { type Docket, makerOf } from './court/docket.ts'
import { callingDispute } from './court/place.ts'
import type { Ward } from './court/protectedExit.ts'
import type { Alert, World } from './court/types.ts'
import type { CourtContext } from './courtPort.ts'
import type {
  DisputeRecord,
  ExitFacts,
  ExitRecord,
  MadeFact,
  ProtectedAccount,
  ProtectedOutput,
  SpendFact,
} from './facts.ts'
import { isLost } from './twins.ts'

const OUTPUT_PAGE = 500

/** `made`: header of the block that holds the output where the spend names it. `twin`: that is not where the exit names it. */
type Known = Readonly<{
  evidence: SpendFact
  made: Header | undefined
  twin?: MadeFact
  dispute?: ExitFacts['dispute']
}>

/** Building a proof hashes a whole block: what was proven stays proven as long as L1 holds the same two headers. */
export function createSpendMemo({ facts, log }: Pick<CourtContext, 'facts' | 'log'>) {
  let known = new Map<Hash, Known>()

  function headerAt(position: number): Header | undefined {
    return isDepositPosition(position) ? undefined : facts.header(decodePosition(position).block)
  }

  /** Where the exiting output stands: what the spend names. */
  function placeOf({ signed, input }: SpendFact): number {
    return signed.transaction.inputs[input] ?? 0
  }

  function recall(record: ExitRecord, { evidence, made, twin, dispute }: Known, docket: Docket): ExitFacts | undefined {
    const place = placeOf(evidence)
    const stands =
      facts.spentBy(place) === evidence.spend &&
      isSame(made, headerAt(place)) &&
      isSame(evidence.header, headerAt(evidence.spend)) &&
      (!twin || isLost(facts.blockState(decodePosition(record.exit.position).block)))
    const state = makerOf(record.exit, docket)
    // An output that started again may hang on a verdict now, or not any more.
    if (!stands || (state === undefined) !== (dispute === undefined)) return undefined
    return {
      ...record,
      output: { kind: 'spent', asOf: facts.verifiedBlock(), evidence, ...(twin && { made: twin }) },
      ...(dispute && state && { dispute: { ...dispute, state } }),
    }
  }

  /** One exit whose facts can't be told must not keep the others from being judged. */
  function factsOf(
    records: readonly ExitRecord[],
    docket: Docket,
  ): Readonly<{ exits: readonly ExitFacts[]; faults: readonly Alert[] }> {
    const next = new Map<Hash, Known>()
    const exits: ExitFacts[] = []
    const faults: Alert[] = []
    for (const record of records) {
      const { outputId, position } = record.exit
      const memo = known.get(outputId)
      try {
        const found = (memo && recall(record, memo, docket)) ?? facts.exitFacts(outputId)
        if (!found) continue
        exits.push(found)
        if (found.output.kind !== 'spent') continue
        const { evidence, made: twin } = found.output
        const { dispute } = found
        const made = headerAt(placeOf(evidence))
        next.set(outputId, { evidence, made, ...(twin && { twin }), ...(dispute && { dispute }) })
      } catch (error) {
        log.error('court.exit_unreadable', { outputId, error })
        const details = { outputId, position, reason: String(error) }
        faults.push({ type: 'alert', code: 'INTERNAL_FAULT', key: outputId, details })
      }
    }
    known = next
    return { exits, faults }
  }

  return { factsOf }
}

/** Every output's proof costs hashing: it is asked for again only when L1, the verified blocks or the mandates moved. */
export function createWardMemo({ facts }: Pick<CourtContext, 'facts'>) {
  let known: Readonly<{ at: string; wards: readonly Ward[] }> | undefined

  function outputsOf(owner: Address): readonly ProtectedOutput[] {
    const all: ProtectedOutput[] = []
    for (;;) {
      const cursor = all.at(-1)?.position
      const page = facts.protectedOutputs(owner, { limit: OUTPUT_PAGE, ...(cursor === undefined ? {} : { cursor }) })
      if (page.length === 0) return all
      all.push(...page)
    }
  }

  /** From an unsafe chain everything; otherwise only the inputs that a dispute puts at risk. */
  function outputsAtRisk(owner: Address, disputed: readonly DisputeRecord[], world: World): readonly ProtectedOutput[] {
    const inputs = disputed.flatMap((record) => record.inputs.filter((input) => input.owner === owner))
    const positions = inputs
      .filter(({ outputId }) => callingDispute(outputId, world) !== undefined)
      .map(({ position }) => position)
    return [...new Set(positions)].flatMap((position) =>
      facts
        .protectedOutputs(owner, { cursor: position - 1, limit: 1 })
        .filter((output) => output.position === position),
    )
  }

  return {
    now(disputed: readonly DisputeRecord[], world: World): readonly Ward[] {
      const accounts = facts.protectedAccounts()
      const wardOf = (account: ProtectedAccount, outputs: readonly ProtectedOutput[]): Ward => {
        const revoked = facts.revokedAt(account.owner, account.mandate.epoch) !== undefined
        return { account, revoked, outputs }
      }
      if (world.safety.status !== 'unsafe') {
        return accounts.map((account) => wardOf(account, outputsAtRisk(account.owner, disputed, world)))
      }
      const at = [facts.l1Now().hash, facts.verifiedBlock(), ...accounts.map(({ signature }) => signature)].join(' ')
      if (known?.at === at) return known.wards
      const wards = accounts.map((account) => wardOf(account, outputsOf(account.owner)))
      known = { at, wards }
      return wards
    },
  }
}

function isSame(a: Header | undefined, b: Header | undefined): boolean {
  return a?.root === b?.root && a?.timestamp === b?.timestamp && a?.anchor === b?.anchor
}

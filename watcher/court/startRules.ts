/** The rules about starting exits for protected owners (docs/honest-watcher.md, "Rules"), by inclusion and through a dispute. */
import { BOND_GAS } from '../../protocol/exit.ts'
import { findMandateFault } from '../../protocol/mandate.ts'
import { decodePosition, isDepositPosition } from '../../protocol/position.ts'
import { truthOf } from './disputeRecord.ts'
import { isPassedOn } from './docket.ts'
import { isFallen, isVoidBlock } from './exitTime.ts'
import { callingDispute, isEarlierByDispute } from './place.ts'
import type { Rule } from './rule.ts'
import type { StartDisputedExits, StartExit, StartTerms, World } from './types.ts'

export const START_RULES: readonly Rule<StartExit>[] = [
  {
    id: 'ONLY-WHEN-UNSAFE',
    rationale:
      'A suspicion, a restart or a short silence must not cost every user a bond and the chain its users; only an unsafe chain does, or a dispute that puts this very output at risk.',
    refusal: 'quiet',
    holds: ({ output }, world) =>
      world.safety.status === 'unsafe' || callingDispute(output.outputId, world) !== undefined,
  },
  {
    id: 'OLDER-THAN-THE-FAULT',
    rationale:
      'An output of the bad block or a later one matures with the forged ones and may be void; it leaves by the dispute of its transaction.',
    refusal: 'PROTECTED_EXIT_BLOCKED',
    holds: ({ output }, { safety }) =>
      safety.status === 'safe' ||
      isDepositPosition(output.position) ||
      decodePosition(output.position).block < safety.block,
  },
  {
    id: 'AFTER-THE-PROOF',
    rationale:
      'A spend in an invalid block is evidence until the block is void, and costs the bond for good (8.3.4). The exit of what that block spends waits for the proof, but not past the last safe moment.',
    refusal: 'quiet',
    holds: ({ output }, { safety, spentInFault, voidFrom, now }) =>
      safety.status !== 'unsafe' ||
      safety.reason !== 'invalid' ||
      !spentInFault.has(output.position) ||
      isVoidBlock(safety.block, voidFrom) ||
      now.timestamp >= safety.lastSafeMoment,
  },
  {
    id: 'NOT-EXITING',
    rationale: 'An output exits once; a second start is refused and burns gas.',
    refusal: 'quiet',
    holds: ({ output }) => output.exit === undefined,
  },
  {
    id: 'NOT-PASSED-ON',
    rationale: 'A canonical verdict passed the value on to the transaction’s outputs: those leave, this never does.',
    refusal: 'quiet',
    holds: ({ output }, { docket }) => !isPassedOn(output.outputId, docket),
  },
  {
    id: 'MADE-ON-L1-TOO',
    rationale:
      'Outputs of a transaction that was judged not canonical don’t exist on L1, whatever block holds them: L1 refuses the start.',
    refusal: 'PROTECTED_EXIT_BLOCKED',
    holds: ({ output }, { docket }) => docket.making.get(output.outputId)?.state !== 'not-canonical',
  },
  {
    id: 'BY-THE-EARLIER-PLACE',
    rationale: 'Where a dispute about its transaction gives the output an older place, it leaves that way, not this.',
    refusal: 'quiet',
    holds: ({ output, account }, world) => {
      const dispute = world.docket.making.get(output.outputId)
      if (world.safety.status !== 'unsafe' || account.mandate.position !== 0) return true
      if (!dispute || !output.shown) return true
      const { block } = decodePosition(output.position)
      return !isEarlierByDispute(dispute, { number: block, timestamp: output.shown.header.timestamp }, world)
    },
  },
  {
    id: 'MANDATE-COVERS',
    rationale: 'We act by the owner’s word only, inside its period, amount and output; L1 refuses anything else.',
    refusal: 'PROTECTED_EXIT_BLOCKED',
    holds: (start, world) => isCovered(start, start.output, world),
  },
  {
    id: 'BOND-BY-FORMULA',
    rationale:
      'The bond that L1 asks for is at most 16 times the base fee’s (spec 8.2): an endpoint that lies must not lock up the key’s ETH.',
    refusal: 'INTERNAL_FAULT',
    holds: (start, world) => isBondByFormula(start, 1n, world),
  },
  {
    id: 'BOND-AFFORDABLE',
    rationale:
      'A start that the key can’t pay for would stand in the way of cheaper ones and of challenges, whose reserve stays untouched.',
    refusal: 'BUDGET_EXHAUSTED',
    holds: isAffordable,
  },
  {
    id: 'WORTH-ITS-COST',
    rationale: 'An output worth less than the gas of taking it out stays: spending more than it holds helps nobody.',
    refusal: 'PROTECTED_EXIT_BLOCKED',
    holds: isWorthIt,
  },
]

export const START_DISPUTED_RULES: readonly Rule<StartDisputedExits>[] = [
  {
    id: 'DISPUTE-MAY-STILL-PAY',
    rationale: 'After a verdict that is not canonical, or on a void age, L1 refuses the start.',
    refusal: 'quiet',
    holds: ({ record }, world) => record.state !== 'not-canonical' && !isFallen(record.dispute.agePosition, world),
  },
  {
    id: 'DISPUTE-NOT-FALSE',
    rationale: 'WATCH-1: nobody is owed an output of a transaction whose input a verified block spends otherwise.',
    refusal: 'quiet',
    holds: ({ record }) => record.state === 'canonical' || truthOf(record) !== 'not-canonical',
  },
  {
    id: 'OUTPUT-NOT-EXITING',
    rationale: 'An output exits once, whichever way; a second start is refused and burns gas.',
    refusal: 'quiet',
    holds: ({ outputs }) => outputs.length > 0 && outputs.every(({ exit }) => exit === undefined),
  },
  {
    id: 'OUTPUT-NOT-SPENT',
    rationale: 'WATCH-1: what its owner spent where the transaction is included is not theirs any more.',
    refusal: 'quiet',
    holds: ({ outputs }) => outputs.every(({ spentBy }) => spentBy === undefined),
  },
  {
    id: 'BLOCKS-LOOKED-THROUGH',
    rationale:
      'While a safe chain’s blocks are still being fetched, the next may hold the transaction, and nobody has to leave.',
    refusal: 'quiet',
    holds: (_action, { safety, verifiedBlock, newestBlock }) =>
      safety.status !== 'safe' || verifiedBlock >= newestBlock,
  },
  {
    id: 'NO-BETTER-WAY-OUT',
    rationale:
      'An output in a verified block can be spent there, or leave by inclusion; through the dispute only from an unsafe chain, if that comes earlier.',
    refusal: 'quiet',
    holds: ({ record, account }, world) => {
      if (!record.made) return true
      const { position, header } = record.made
      const block = { number: decodePosition(position).block, timestamp: header.timestamp }
      const isOnlyFor = account.mandate.position !== 0
      return world.safety.status === 'unsafe' && !isOnlyFor && isEarlierByDispute(record, block, world)
    },
  },
  {
    id: 'DISPUTED-MANDATE-COVERS',
    rationale:
      'We act by the owner’s word only; a mandate for one position covers no output that L1 knows no position of.',
    refusal: 'DISPUTE_EXIT_AVAILABLE',
    holds: (start, world) =>
      start.account.mandate.position === 0 &&
      start.outputs.every((output) => isCovered(start, { ...output, position: 0 }, world)),
  },
  {
    id: 'DISPUTED-BOND-BY-FORMULA',
    rationale: 'As for every exit: an endpoint that lies must not lock up the key’s ETH.',
    refusal: 'INTERNAL_FAULT',
    holds: (start, world) => isBondByFormula(start, BigInt(start.outputs.length), world),
  },
  {
    id: 'DISPUTED-BOND-AFFORDABLE',
    rationale: 'As for every exit: the reserve for challenges stays untouched. The owner can still start it.',
    refusal: 'DISPUTE_EXIT_AVAILABLE',
    holds: isAffordable,
  },
  {
    id: 'DISPUTED-WORTH-ITS-COST',
    rationale: 'As for every exit: spending more than an output holds helps nobody. The owner can still start it.',
    refusal: 'DISPUTE_EXIT_AVAILABLE',
    holds: isWorthIt,
  },
]

function isCovered(
  { account, revoked }: StartTerms,
  output: Readonly<{ owner: StartExit['output']['owner']; position: number; amount: bigint }>,
  { now, policy }: World,
): boolean {
  const { owner, position, amount } = output
  const exit = { owner, position, amount, delegate: policy.sender, now: now.timestamp }
  return !revoked && findMandateFault(account.mandate, exit) === undefined
}

function isBondByFormula({ bondWei, baseFeeWei }: StartTerms, exits: bigint, { policy }: World): boolean {
  return bondWei * 100n <= exits * BOND_GAS * 16n * gweiUp(baseFeeWei) * policy.bondHeadroomPercent
}

function isAffordable({ bondWei, costWei, availableWei }: StartTerms): boolean {
  return bondWei + costWei <= availableWei
}

function isWorthIt({ valueWei, costWei }: StartTerms): boolean {
  return valueWei === undefined || valueWei > costWei
}

function gweiUp(wei: bigint): bigint {
  const gwei = 10n ** 9n
  return wei < gwei ? gwei : ((wei + gwei - 1n) / gwei) * gwei
}

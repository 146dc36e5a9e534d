/** The named rules about data challenges and receipts (docs/honest-watcher.md, "Rules"). */
import { dataChallengeBond } from '../../protocol/dataChallenge.ts'
import { defaultLimits } from '../safety.ts'
import { answersIn, challengesIn, isTaken } from './dataTime.ts'
import type { BreakReceipt, ChallengeData, DataRecord, EndDataChallenge, RevealData, Silence } from './dataTypes.ts'
import { haltWindow, isVoidBlock } from './exitTime.ts'
import { DATA_BOND_PERCENT } from './policy.ts'
import type { Rule } from './rule.ts'
import type { World } from './types.ts'

export const CHALLENGE_DATA_RULES: readonly Rule<ChallengeData>[] = [
  {
    id: 'DATA-IS-WITHHELD',
    rationale:
      'A block is challenged only when every peer was asked for it, or for the first one below it, and the silence is more than a hiccup: a bond that is answered is lost.',
    refusal: 'quiet',
    holds: ({ range, silence }, { verifiedBlock, parameters }) =>
      isWithheld(silence, { verifiedBlock, parameters }) && range.blockNumber >= silence.block,
  },
  {
    id: 'DATA-NOT-VOID',
    rationale: 'What is void needs no data; L1 refuses the challenge.',
    refusal: 'quiet',
    holds: ({ range }, { voidFrom }) => !isVoidBlock(range.blockNumber, voidFrom),
  },
  {
    id: 'DATA-CHALLENGE-IN-TIME',
    rationale: 'L1 takes challenges until block time + DC.',
    refusal: 'quiet',
    holds: ({ header, deadline }, world) =>
      world.now.timestamp <= deadline && deadline <= challengesIn(header, world).until,
  },
  {
    id: 'DATA-RANGE-IS-NEW',
    rationale:
      'One answer to a range is enough for everybody: what anyone has challenged, alone or in a wider range, we leave to them.',
    refusal: 'quiet',
    holds: ({ range, known }) => !isTaken(range, known),
  },
  {
    id: 'DATA-BOND-BY-FORMULA',
    rationale: 'As for every exit: an endpoint that lies about fees must not lock up the key’s ETH.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ range, groups, bondWei, baseFeeWei }) =>
      bondWei * 100n <= dataChallengeBond(range.levels, groups, 16n * gweiUp(baseFeeWei)) * DATA_BOND_PERCENT,
  },
  {
    id: 'DATA-WITHIN-BUDGET',
    rationale:
      'An answered bond is lost: half of what is left of the budget is the most that one block may take, so that no operator empties it with one.',
    refusal: 'DATA_UNCHALLENGED',
    holds: ({ bondWei, allowanceWei }) => bondWei <= allowanceWei,
  },
  {
    id: 'DATA-BOND-AFFORDABLE',
    rationale: 'The reserve for challenges of exits stays untouched.',
    refusal: 'DATA_UNCHALLENGED',
    holds: ({ bondWei, costWei, availableWei }) => bondWei + costWei <= availableWei,
  },
]

export const REVEAL_DATA_RULES: readonly Rule<RevealData>[] = [
  {
    id: 'REVEAL-IS-WANTED',
    rationale: 'What is answered or ended takes no answer, and one such range spoils the whole call.',
    refusal: 'quiet',
    holds: ({ records }) => records.length > 0 && records.every(({ state }) => state === 'open'),
  },
  {
    id: 'REVEAL-IS-VERIFIED',
    rationale:
      'We keep a chain alive only at a block that we have checked: one that is invalid, or stands on a hidden one, may well be halted.',
    refusal: 'quiet',
    holds: ({ records }, { verifiedBlock }) => records.every(({ challenge }) => challenge.blockNumber <= verifiedBlock),
  },
  {
    id: 'REVEAL-NOT-VOID',
    rationale: 'Of a void block nothing is owed; L1 refuses the answer.',
    refusal: 'quiet',
    holds: ({ records }, { voidFrom }) =>
      records.every(({ challenge }) => !isVoidBlock(challenge.blockNumber, voidFrom)),
  },
  {
    id: 'REVEAL-AFTER-THE-OPERATOR',
    rationale: 'Half of DR is the operator’s own: who races it pays for a lost race.',
    refusal: 'quiet',
    holds: ({ records }, world) => records.some((record) => world.now.timestamp >= answersIn(record, world).from),
  },
  {
    id: 'REVEAL-IN-TIME',
    rationale: 'L1 takes answers until the challenge + DR, of every range in the call.',
    refusal: 'quiet',
    holds: ({ records, deadline }, world) =>
      world.now.timestamp <= deadline && records.every((record) => deadline <= answersIn(record, world).until),
  },
]

export const END_DATA_RULES: readonly Rule<EndDataChallenge>[] = [
  {
    id: 'END-WHAT-IS-OPEN',
    rationale: 'What is answered or ended can’t be ended again.',
    refusal: 'quiet',
    holds: ({ record }) => record.state === 'open',
  },
  {
    id: 'END-AFTER-THE-ANSWERS',
    rationale: 'Until DR is over anyone may answer; L1 refuses to end it before, unless the block is void.',
    refusal: 'quiet',
    holds: ({ record }, world) => isFallenBlock(record, world) || world.now.timestamp > answersIn(record, world).until,
  },
  {
    id: 'HALT-ONLY-WHAT-IS-HIDDEN',
    rationale:
      'WATCH-1: a block that we had in time is available, and one that we only have not come to yet may be: who halts the chain at it takes payments from their payees. One that was withheld until nobody could answer any more is halted at all the same: what it holds came too late for the windows of the exit games.',
    refusal: 'quiet',
    holds: ({ record, aim, silence, cameLate }, world) => {
      if (aim === 'refund') return isFallenBlock(record, world) || world.now.timestamp > haltUntil(record, world)
      if (record.challenge.blockNumber > world.verifiedBlock) return isStopped(silence, world)
      return cameLate !== undefined && cameLate.observedSeconds >= defaultLimits(world.parameters).suspectSeconds
    },
  },
  {
    id: 'HALT-IN-TIME',
    rationale: 'An unanswered challenge halts until block time + MEP; later the call only gives the bond back.',
    refusal: 'quiet',
    holds: ({ record, aim, deadline }, world) =>
      aim === 'refund' ||
      (!isFallenBlock(record, world) && world.now.timestamp <= deadline && deadline <= haltUntil(record, world)),
  },
  {
    id: 'REFUND-OF-OURS',
    rationale: 'A bond goes back to its challenger whoever asks: we ask for our own, where it is worth the gas.',
    refusal: 'quiet',
    holds: ({ record, aim, costWei }, { policy }) =>
      aim === 'halt' || (record.challenge.challenger === policy.sender && record.challenge.bond > costWei),
  },
]

export const BREAK_RECEIPT_RULES: readonly Rule<BreakReceipt>[] = [
  {
    id: 'RECEIPT-CONTRADICTED',
    rationale: 'WATCH-1: the operator is slashed only for what L1, or another receipt of its own, contradicts.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ broken: { signed, how } }) => {
      const { receipt } = signed
      if (how.kind === 'displaced') return how.txHash !== receipt.txHash && how.header.anchor === receipt.anchor
      if (how.kind === 'header') return true
      const other = how.other.receipt
      const isSamePlace = other.blockNumber === receipt.blockNumber && other.index === receipt.index
      return isSamePlace && other.anchorHash === receipt.anchorHash && other.txHash !== receipt.txHash
    },
  },
  {
    id: 'RECEIPT-IN-TIME',
    rationale: 'L1 knows the anchor for 8,191 blocks; later a receipt can’t be broken.',
    refusal: 'quiet',
    holds: ({ broken, deadline }, { now }) =>
      now.timestamp <= deadline &&
      (broken.how.kind === 'contradiction' || now.block <= broken.signed.receipt.anchor + ANCHOR_MEMORY_BLOCKS),
  },
]

/** EIP-2935: so many L1 blocks back L1 knows a hash. */
export const ANCHOR_MEMORY_BLOCKS = 8_191

function isFallenBlock({ challenge }: DataRecord, { voidFrom }: World): boolean {
  return isVoidBlock(challenge.blockNumber, voidFrom)
}

type Verified = Pick<World, 'verifiedBlock' | 'parameters'>

/** Of the first block that is not verified every peer was asked, for more than a hiccup. */
function isWithheld({ block, seconds }: Silence, { verifiedBlock, parameters }: Verified): boolean {
  return block === verifiedBlock + 1 && seconds >= defaultLimits(parameters).suspectSeconds
}

/** The verified blocks go no further, for a reason that is not ours. */
function isStopped(silence: Silence, world: World): boolean {
  const { safety } = world
  return isWithheld(silence, world) || (safety.status === 'unsafe' && safety.reason === 'invalid')
}

function haltUntil({ challenge }: DataRecord, world: World): number {
  return haltWindow({ timestamp: challenge.blockTime }, world).until
}

function gweiUp(wei: bigint): bigint {
  const gwei = 10n ** 9n
  return wei < gwei ? gwei : ((wei + gwei - 1n) / gwei) * gwei
}

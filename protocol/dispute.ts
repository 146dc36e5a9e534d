/**
 * Disputes about a transaction whose inclusion is unknown (docs/spec.md section 6.3) as pure arithmetic; contracts/Disputes.sol repeats it
 * and the vectors hold both to it. A dispute gives a verdict and never pays; exits of the transaction's inputs and outputs wait for it.
 */
import { type Address, bytesToHex, type Hash, hexToBytes } from './bytes.ts'
import { hashWords } from './eip712.ts'
import { bondFeeGwei, payableAfter } from './exit.ts'
import { isDepositPosition } from './position.ts'

/** A dispute as it was when it started: never changes, so L1 keeps a hash of it and an event carries it. */
export type Dispute = Readonly<{
  txHash: Hash
  /** Youngest input that is a transaction's output; where all are deposits, the youngest deposit. */
  agePosition: number
  /** L1 seconds: the time of its block, 0 for a deposit. */
  ageTime: number
  startedAt: number
  /** The verdict can be had when now is greater. */
  exitableAt: number
  /** The least of the inputs' locks, an L1 block number. */
  lockedAt: number
  /** Bit i: exits of input i wait for the verdict. */
  suspends: number
  starter: Address
  bond: bigint
  inputsHash: Hash
}>

/** An output that the disputed transaction spends, in the order of its inputs. */
export type DisputeInput = Readonly<{
  outputId: Hash
  /** The transaction that made it; zero for a deposit. */
  madeBy: Hash
  position: number
  owner: Address
  token: Address
  amount: bigint
  /** L1 block of the first exit action that named it. */
  lockedAt: number
}>

export type Verdict = 'canonical' | 'not-canonical'

/** What the root contract keeps of a dispute: the first 25 bytes of this hash. */
export function hashDispute(dispute: Dispute): Hash {
  return bytesToHex(
    hashWords([
      hexToBytes(dispute.txHash),
      dispute.agePosition,
      dispute.ageTime,
      dispute.startedAt,
      dispute.exitableAt,
      dispute.lockedAt,
      dispute.suspends,
      dispute.starter,
      dispute.bond,
      hexToBytes(dispute.inputsHash),
    ]),
  )
}

/** keccak256 of all inputs' words back to back. */
export function hashDisputeInputs(inputs: readonly DisputeInput[]): Hash {
  const words = inputs.flatMap(({ outputId, madeBy, position, owner, token, amount, lockedAt }) => [
    hexToBytes(outputId),
    hexToBytes(madeBy),
    position,
    owner,
    token,
    amount,
    lockedAt,
  ])
  return bytesToHex(hashWords(words))
}

export type DisputeAge = Readonly<{ agePosition: number; ageTime: number }>

/** `inputs` in the order of their positions; `blockTime` of each that is a transaction's output (L1 seconds). */
export function disputeAge(
  inputs: readonly Readonly<{ position: number; blockTime?: number | undefined }>[],
): DisputeAge {
  const made = inputs.filter(({ position }) => !isDepositPosition(position)).at(-1)
  if (made) return { agePosition: made.position, ageTime: made.blockTime ?? 0 }
  return { agePosition: inputs.at(-1)?.position ?? 0, ageTime: 0 }
}

/** E = max(start + MEP, time of the age's block + 2 MEP); deposits alone: start + MEP. */
export function disputeMaturity(startedAt: number, minExitPeriod: number, ageTime: number): number {
  const byStart = startedAt + minExitPeriod
  return ageTime === 0 ? byStart : Math.max(byStart, ageTime + 2 * minExitPeriod)
}

/** Last second for a competitor. `lastMove`: time of the last move of the halt, 0 for none. */
export function competitorDeadline(exitableAt: number, minExitPeriod: number, lastMove = 0): number {
  return payableAfter(exitableAt, minExitPeriod, lastMove) - Math.floor(minExitPeriod / 2)
}

/** Last second for an answer. */
export function answerDeadline(exitableAt: number, minExitPeriod: number, lastMove = 0): number {
  return payableAfter(exitableAt, minExitPeriod, lastMove) - Math.floor(minExitPeriod / 4)
}

/** A dispute that starts later than this does not make the exit wait. The same second that ends evidence against it. */
export function suspensionDeadline(exitableAt: number, minExitPeriod: number, lastMove = 0): number {
  return answerDeadline(exitableAt, minExitPeriod, lastMove)
}

/** Last second at which a canonical verdict waits for disputes about what made its inputs. */
export function makerDeadline(exitableAt: number, minExitPeriod: number, lastMove = 0): number {
  return payableAfter(exitableAt, minExitPeriod, lastMove) + 2 * minExitPeriod
}

/** What became of a disputed transaction's input by the time of the verdict. */
export type InputState = 'free' | 'void' | 'invalid' | 'paid' | 'passed-on' | 'made-by-non-canonical'

/** A competitor or an answer as it stands at the verdict. */
export type Piece = Readonly<{
  /** Position of the included transaction; 0: not included. */
  position: number
  /** Its block is not void and it was not proven invalid. */
  stands: boolean
}>

export type Pieces = Readonly<{
  inputs: readonly InputState[]
  competitors: readonly Piece[]
  answers: readonly Piece[]
}>

/**
 * The verdict: canonical if every input is free and, where a competitor was shown, there is a standing answer older than every standing
 * included competitor. A piece that fell counts as not included.
 */
export function judgeDispute({ inputs, competitors, answers }: Pieces): Verdict {
  if (inputs.some((state) => state !== 'free')) return 'not-canonical'
  if (competitors.length === 0) return 'canonical'
  const answer = oldest(answers)
  return answer !== undefined && answer < (oldest(competitors) ?? Number.POSITIVE_INFINITY)
    ? 'canonical'
    : 'not-canonical'
}

function oldest(pieces: readonly Piece[]): number | undefined {
  const places = pieces.filter(({ position, stands }) => stands && position !== 0).map(({ position }) => position)
  return places.length === 0 ? undefined : Math.min(...places)
}

/** The starter's bond falls only to an included competitor that was public before the start. */
export function wasPublic(competitorTime: number, startedAt: number, revealPeriod: number): boolean {
  return competitorTime + revealPeriod <= startedAt
}

/** Gas that a dispute's bond is sized by (spec section 8.3), for so many inputs. */
export function disputeBondGas(inputs: number): Readonly<{ challenger: bigint; burnt: bigint }> {
  return { challenger: 300_000n + 8_000n * BigInt(inputs), burnt: 60_000n }
}

/** The least bond in wei. */
export function disputeBond(
  inputs: number,
  fees: Readonly<{ slowFeeGwei: bigint; elapsedSeconds: bigint; baseFeeWei: bigint }>,
): bigint {
  const { challenger, burnt } = disputeBondGas(inputs)
  const fee = bondFeeGwei(fees.slowFeeGwei, fees.elapsedSeconds, fees.baseFeeWei)
  return (challenger + burnt) * fee * 10n ** 9n
}

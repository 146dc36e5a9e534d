/** Vectors of positions, headers, exits and mandates (docs/spec.md sections 1, 3, 5, 7). */
import { hashHeader } from '../../protocol/block.ts'
import { bytesToHex, hexToBytes, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import { type Dispute, type DisputeInput, hashDispute, hashDisputeInputs } from '../../protocol/dispute.ts'
import { type Exit, hashExit } from '../../protocol/exit.ts'
import { findMandateFault, hashMandate, hashRevocation, type Mandate } from '../../protocol/mandate.ts'
import { DEPOSIT_INDEX, depositIdOf, encodePosition, isDepositPosition, outputIdOf } from '../../protocol/position.ts'
import { addressOfKey, signDigest } from '../../signatures/sign.ts'
import { createRandom } from './random.ts'
import { DOMAIN, KEYS, SEPARATOR } from './transactions.ts'

export function positionVectors() {
  const random = createRandom('positions')
  const edges = [
    { block: 0, index: 0, output: 0 },
    { block: 0, index: 0, output: 15 },
    { block: 0, index: DEPOSIT_INDEX, output: 0 },
    { block: 1, index: 0, output: 0 },
    { block: 1, index: DEPOSIT_INDEX - 1, output: 15 },
    { block: 127, index: 2 ** 21 - 1, output: 15 },
    { block: 2 ** 28 - 1, index: 2 ** 21 - 1, output: 15 },
  ]
  const some = Array.from({ length: 12 }, () => ({
    block: random.below(2 ** 28),
    index: random.below(2 ** 21),
    output: random.below(16),
  }))
  const positions = [...edges, ...some].map((place) => {
    const position = encodePosition(place)
    const deposit = isDepositPosition(position)
    return { ...place, position, deposit, ...(deposit ? { depositId: depositIdOf(position) } : {}) }
  })
  const outputIds = Array.from({ length: 8 }, (_, i) => {
    const txHash = random.hash()
    const output = i === 0 ? 0 : random.below(16)
    return { txHash, output, outputId: outputIdOf(hexToBytes(txHash), output) }
  })
  const notPositions = ['', '01', '-1', '1.5', '1e3', '0x10', ' 1', '9007199254740992', '99999999999999999']
  return { positions, outputIds, notPositions }
}

export function headerVectors() {
  const random = createRandom('headers')
  const edges = [
    { root: `0x${'00'.repeat(32)}` as const, timestamp: 1, txCount: 0, anchor: 0 },
    { root: `0x${'ff'.repeat(32)}` as const, timestamp: 2 ** 40 - 1, txCount: 2 ** 16, anchor: 2 ** 32 - 1 },
  ]
  const some = Array.from({ length: 8 }, () => ({
    root: random.hash(),
    timestamp: random.below(2 ** 34),
    txCount: 1 + random.below(2 ** 16),
    anchor: random.below(2 ** 32),
  }))
  return [...edges, ...some].map((header) => ({ header, hash: hashHeader(header) }))
}

export function exitVectors() {
  const random = createRandom('exits')
  return Array.from({ length: 8 }, (_, i) => {
    const exit: Exit = {
      outputId: random.hash(),
      position: i === 0 ? 2 ** 53 - 1 : random.below(2 ** 53),
      owner: random.address(),
      token: i % 2 === 0 ? ZERO_ADDRESS : random.address(),
      amount: i === 0 ? 2n ** 128n - 1n : random.uint(128),
      young: i % 3 === 0,
      seq: i === 0 ? 2 ** 40 - 1 : random.below(2 ** 40),
      startedAt: random.below(2 ** 40),
      exitableAt: random.below(2 ** 40),
      lockedAt: random.below(2 ** 40),
      payer: random.address(),
      bond: i === 0 ? 0n : random.uint(128),
      disputed: i % 2 === 0 ? ZERO_HASH : random.hash(),
    }
    return { exit, hash: hashExit(exit) }
  })
}

/** Disputes with 1 to 16 inputs. */
export function disputeVectors() {
  const random = createRandom('disputes')
  return [1, 2, 3, 16].map((count, i) => {
    const inputs = Array.from(
      { length: count },
      (_, input): DisputeInput => ({
        outputId: random.hash(),
        madeBy: input === 1 ? ZERO_HASH : random.hash(),
        position: i === 0 ? 2 ** 53 - 1 : random.below(2 ** 53),
        owner: random.address(),
        token: input % 2 === 0 ? ZERO_ADDRESS : random.address(),
        amount: i === 0 ? 2n ** 128n - 1n : random.uint(128),
        lockedAt: random.below(2 ** 40),
      }),
    )
    const inputsHash = hashDisputeInputs(inputs)
    const dispute: Dispute = {
      txHash: random.hash(),
      agePosition: i === 0 ? 2 ** 53 - 1 : random.below(2 ** 53),
      ageTime: i === 1 ? 0 : random.below(2 ** 40),
      startedAt: random.below(2 ** 40),
      exitableAt: random.below(2 ** 40),
      lockedAt: random.below(2 ** 40),
      suspends: i === 3 ? 2 ** 16 - 1 : random.below(2 ** 16),
      starter: random.address(),
      bond: random.uint(128),
      inputsHash,
    }
    return { dispute, inputs, inputsHash, hash: hashDispute(dispute) }
  })
}

export function mandateVectors() {
  const random = createRandom('mandates')
  const mandates = KEYS.map((key, i) => {
    const mandate: Mandate = {
      owner: addressOfKey(key),
      delegate: i === 0 ? ZERO_ADDRESS : random.address(),
      validFrom: i === 0 ? 0 : random.below(2 ** 34),
      validUntil: i === 0 ? 2 ** 53 - 1 : random.below(2 ** 34),
      position: i % 2 === 0 ? 0 : random.below(2 ** 53),
      minAmount: random.uint(i === 1 ? 128 : 64),
      maxFee: random.uint(64),
      epoch: i === 2 ? 2 ** 53 - 1 : i,
    }
    const digest = hashMandate(mandate, SEPARATOR)
    return { mandate, digest: bytesToHex(digest), signature: bytesToHex(signDigest(digest, key)) }
  })
  const revocations = KEYS.map((key, i) => {
    const owner = addressOfKey(key)
    const epoch = i === 2 ? 2 ** 53 - 1 : i
    const digest = hashRevocation(owner, epoch, SEPARATOR)
    return { owner, epoch, digest: bytesToHex(digest), signature: bytesToHex(signDigest(digest, key)) }
  })
  return { domain: DOMAIN, separator: bytesToHex(SEPARATOR), mandates, revocations, coverage: mandateCoverage() }
}

/** `fault`: why the mandate does not cover the exit, null when it does. */
function mandateCoverage() {
  const [owner, delegate, other] = [1, 2, 3].map((i) => `0x${`0${i}`.repeat(20)}` as const) as [
    `0x${string}`,
    `0x${string}`,
    `0x${string}`,
  ]
  const mandate = {
    owner,
    delegate,
    validFrom: 100,
    validUntil: 200,
    position: 64,
    minAmount: 10n,
    maxFee: 0n,
    epoch: 0,
  }
  const exit = { owner, delegate, position: 64, amount: 10n, now: 150 }
  const cases = [
    [null, {}],
    [null, { now: 100 }],
    [null, { now: 200 }],
    ['OTHER_OWNER', { owner: other }],
    ['OTHER_DELEGATE', { delegate: other }],
    ['OUT_OF_PERIOD', { now: 99 }],
    ['OUT_OF_PERIOD', { now: 201 }],
    ['OTHER_OUTPUT', { position: 65 }],
    ['BELOW_MINIMUM', { amount: 9n }],
  ] as const
  return cases.map(([fault, change]) => {
    const value = { mandate, exit: { ...exit, ...change }, fault }
    const found = findMandateFault(value.mandate, value.exit)?.code ?? null
    if (found !== fault) throw new Error(`mandate vector: got ${found}, want ${fault}`)
    return value
  })
}

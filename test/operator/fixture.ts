/** An operator's core over a hand-fed L1: actors with keys, payments signed for real, L1 blocks and reorgs as the follower tells them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeAbiParameters, encodeEventTopics } from 'viem'
import { iLifeboatAbi, iSuretyAbi } from '../../contracts/artifacts.generated.ts'
import { applyEvent, type FollowerEvent } from '../../l1/cursor.ts'
import type { BlockRef } from '../../l1/header.ts'
import type { RawLog } from '../../l1/receipts.ts'
import type { Outcome } from '../../operator/admit.ts'
import type { AnswerSender } from '../../operator/answers.ts'
import { type Core, type CoreOptions, createCore } from '../../operator/core.ts'
import { OPERATOR_APPLICATION_ID, OPERATOR_MIGRATIONS } from '../../operator/schema.ts'
import type { Sender, SubmissionState } from '../../operator/submitter.ts'
import type { Commitment } from '../../protocol/block.ts'
import { type Address, bytesToHex, type Hash, type Hex, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import { encodeTransaction } from '../../protocol/codec.ts'
import type { DataChallenge, LeafRange } from '../../protocol/dataChallenge.ts'
import { type Domain, domainSeparator } from '../../protocol/eip712.ts'
import { keccak256, keccak256Text } from '../../protocol/keccak.ts'
import { PRESETS } from '../../protocol/parameters.ts'
import { DEPOSIT_INDEX, encodePosition } from '../../protocol/position.ts'
import { createOutput, hashTransaction, type Output, type SignedTransaction } from '../../protocol/transaction.ts'
import { openDatabase } from '../../service/database.ts'
import { createMemoryLog, type MemoryLog } from '../../service/log.ts'
import { prepareBatch } from '../../signatures/jobs.ts'
import { isPrepared } from '../../signatures/packing.ts'
import { addressOfKey, signDigest } from '../../signatures/sign.ts'

export const ETH = ZERO_ADDRESS
export const TOKEN: Address = `0x${'70'.repeat(20)}`
export const ROOT: Address = `0x${'a1'.repeat(20)}`
export const DOMAIN: Domain = { chainId: 31337, rootContract: ROOT }
/** The least bond of the test parameters, which is posted. Wei. */
export const BOND = 10n ** 18n
/** L1 block of the root contract's construction. */
export const CREATED_AT = 3

export type Actor = Readonly<{ key: Uint8Array; address: Address }>

function createActor(name: string): Actor {
  const key = keccak256Text(`lifeboat test ${name}`)
  return { key, address: addressOfKey(key) }
}

export const alice = createActor('alice')
export const bob = createActor('bob')
export const carol = createActor('carol')
export const operatorActor = createActor('operator')
export const feeCollector = createActor('fees')

export type Payment = Readonly<{
  inputs: readonly number[]
  outputs: readonly (readonly [owner: Actor | Address, amount: bigint, token?: Address])[]
  signers: readonly Actor[]
  memo?: Hash
  domain?: Domain
}>

/** Signed by the signers, one per input in order. */
export function pay({ inputs, outputs, signers, memo = ZERO_HASH, domain = DOMAIN }: Payment): SignedTransaction {
  const made: Output[] = outputs.map(([owner, amount, token = ETH]) =>
    createOutput(typeof owner === 'string' ? owner : owner.address, token, amount),
  )
  const transaction = { inputs, outputs: made, memo }
  const digest = hashTransaction(transaction, domainSeparator(domain))
  const witnesses = new Uint8Array(signers.length * 64)
  signers.forEach(({ key }, i) => {
    witnesses.set(signDigest(digest, key), i * 64)
  })
  return { transaction, witnesses }
}

export function hashOf({ transaction }: SignedTransaction): Uint8Array {
  return hashTransaction(transaction, domainSeparator(DOMAIN))
}

/** Logs as the root contract writes them. */
export const logs = {
  deposited: (position: number, owner: Address, amount: bigint, token: Address = ETH) =>
    rawLog(
      encodeEventTopics({
        abi: iLifeboatAbi,
        eventName: 'Deposited',
        args: { position: BigInt(position), owner, token },
      }) as Hash[],
      encodeAbiParameters([{ type: 'uint128' }], [amount]),
    ),
  rotated: (operator: Address) =>
    rawLog(encodeEventTopics({ abi: iLifeboatAbi, eventName: 'OperatorRotated', args: { operator } }) as Hash[], '0x'),
  bondPosted: (bond: bigint) =>
    rawLog(
      encodeEventTopics({ abi: iSuretyAbi, eventName: 'BondPosted', args: { from: ROOT } }) as Hash[],
      encodeAbiParameters([{ type: 'uint256' }, { type: 'uint256' }], [bond, bond]),
    ),
  bondSlashed: (taken: bigint, bond: bigint) =>
    rawLog(
      encodeEventTopics({ abi: iSuretyAbi, eventName: 'BondSlashed', args: { reporter: carol.address } }) as Hash[],
      encodeAbiParameters([{ type: 'uint256' }, { type: 'uint256' }], [taken, bond]),
    ),
  dataChallenged: (challenge: DataChallenge) => {
    const event = iSuretyAbi.find((item) => item.type === 'event' && item.name === 'DataChallenged')
    const [, shape] = (event as Extract<(typeof iSuretyAbi)[number], { name: 'DataChallenged' }>).inputs
    return rawLog(
      encodeEventTopics({
        abi: iSuretyAbi,
        eventName: 'DataChallenged',
        args: { blockNumber: BigInt(challenge.blockNumber) },
      }) as Hash[],
      encodeAbiParameters([shape], [challenge]),
    )
  },
  dataRevealed: ({ blockNumber, first, levels }: LeafRange) =>
    rawLog(
      encodeEventTopics({
        abi: iSuretyAbi,
        eventName: 'DataRevealed',
        args: { blockNumber: BigInt(blockNumber), first, levels },
      }) as Hash[],
      encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [carol.address, 1n]),
    ),
  submitted: (firstBlock: number, commitments: readonly Commitment[]) =>
    rawLog(
      encodeEventTopics({
        abi: iLifeboatAbi,
        eventName: 'BlocksSubmitted',
        args: { firstBlock: BigInt(firstBlock) },
      }) as Hash[],
      encodeAbiParameters(
        [
          {
            type: 'tuple[]',
            components: [
              { name: 'root', type: 'bytes32' },
              { name: 'txCount', type: 'uint32' },
              { name: 'anchor', type: 'uint32' },
            ],
          },
        ],
        [commitments.map((commitment) => ({ ...commitment }))],
      ),
    ),
  exitStarted: (position: number, owner: Address, lockedAt: number, amount = 1n) =>
    rawLog(
      encodeEventTopics({
        abi: iLifeboatAbi,
        eventName: 'ExitStarted',
        args: { outputId: bytesToHex(keccak256(Uint8Array.of(position % 256))), position: BigInt(position), owner },
      }) as Hash[],
      encodeAbiParameters(
        ['address', 'uint128', 'bool', 'uint40', 'uint40', 'uint40', 'uint40', 'address', 'uint128', 'bytes32'].map(
          (type) => ({ type }),
        ),
        [ETH, amount, false, 0, 1000, 2000, lockedAt, owner, 0n, ZERO_HASH],
      ),
    ),
}

function rawLog(topics: readonly Hash[], data: Hex): RawLog {
  return { address: ROOT, topics, data, logIndex: 0, transactionIndex: 0, transactionHash: ZERO_HASH }
}

/** A chain of L1 blocks whose hashes say their branch. */
export class TestL1 {
  readonly cursor: BlockRef[] = []
  readonly timestampOf = (number: number) => 1_700_000_000 + number
  #branch = 0
  tip = 0

  /** The events of so many further blocks; logs go into the first. */
  mine(count = 1, logsOfFirst: readonly RawLog[] = []): FollowerEvent[] {
    return Array.from({ length: count }, (_, i) => this.#next(i === 0 ? logsOfFirst : []))
  }

  /** Drops everything above `ancestor`, and mines as many blocks and one more on another branch. */
  reorg(ancestor: number, logsOfFirst: readonly RawLog[] = []): FollowerEvent[] {
    const dropped = this.cursor.filter(({ number }) => number > ancestor).reverse()
    const found = this.cursor.find(({ number }) => number === ancestor)
    if (!found) throw new Error(`L1 block ${ancestor} is below the floor`)
    this.#branch++
    const event: FollowerEvent = { type: 'reorg', commonAncestor: found, dropped }
    applyEvent(this.cursor, event)
    const length = this.tip - ancestor + 1
    this.tip = ancestor
    return [event, ...this.mine(length, logsOfFirst)]
  }

  hashOf(number: number): Hash {
    return this.cursor.find((block) => block.number === number)?.hash ?? ZERO_HASH
  }

  #next(found: readonly RawLog[]): FollowerEvent {
    const number = this.tip + 1
    const hash = bytesToHex(keccak256(Uint8Array.of(this.#branch, number >> 8, number & 255)))
    const parentHash = this.cursor.at(-1)?.hash ?? ZERO_HASH
    const block = { number, hash, parentHash, timestamp: this.timestampOf(number), baseFeePerGas: 1n }
    const event: FollowerEvent = { type: 'block', block, logs: found.map((log, i) => ({ ...log, logIndex: i })) }
    applyEvent(this.cursor, event)
    this.tip = number
    return event
  }
}

export type Sent = { key: string; data: Hex; purpose: string; lastL1Block: number }

/** An outbox that only remembers. */
export class TestSender implements Sender, AnswerSender {
  readonly sent: Sent[] = []
  readonly answers: Parameters<AnswerSender['answer']>[0][] = []
  readonly states = new Map<string, SubmissionState>()
  enqueue({ key, call, purpose, lastL1Block }: Parameters<Sender['enqueue']>[0]): void {
    this.sent.push({ key, data: call.data, purpose, lastL1Block })
    this.states.set(key, { state: 'waiting' })
  }
  answer(reveal: Parameters<AnswerSender['answer']>[0]): void {
    this.answers.push(reveal)
    this.states.set(reveal.key, { state: 'waiting' })
  }
  isUnderWay(key: string): boolean {
    return this.states.has(key) && this.states.get(key)?.state !== 'failed'
  }
  stateOf(key: string): SubmissionState | undefined {
    return this.states.get(key)
  }
}

export type World = {
  core: Core
  l1: TestL1
  sender: TestSender
  memory: MemoryLog
  clock: { ms: number }
  file: string
  options: Partial<CoreOptions>
  /** Used by the next restart of a crash test. */
  hook?: () => void
  /** Feeds events to the core and lets it act. */
  see(events: readonly FollowerEvent[]): void
  /** A deposit in the next L1 block, deep enough to be spent. */
  deposit(owner: Actor, amount: bigint, token?: Address): number
  admit(...transactions: readonly SignedTransaction[]): Outcome[]
  /** Admits one and returns its position; throws the refusal. */
  accept(transaction: SignedTransaction): number
  /** The commitments of L1's BlocksSubmitted for these blocks. */
  commitments(first: number, last: number): Commitment[]
  restart(onWrite?: () => void): void
  close(): void
}

/** Deployed at L1 block 3, deep enough for the first child block to be open. */
export function createWorld(options: Partial<CoreOptions> = {}, onWrite?: () => void): World {
  const directory = mkdtempSync(join(tmpdir(), 'lifeboat-operator-'))
  const file = join(directory, 'operator.db')
  const memory = createMemoryLog()
  const clock = { ms: 1_000_000 }
  const sender = new TestSender()
  const l1 = new TestL1()
  let deposits = 0
  const start = (hook?: () => void) => {
    const db = openDatabase({
      file,
      applicationId: OPERATOR_APPLICATION_ID,
      migrations: OPERATOR_MIGRATIONS,
      ...(hook && { onWrite: hook }),
    })
    return createCore({
      db,
      domain: DOMAIN,
      parameters: { ...PRESETS.devnet, anchorAgeBlocks: 22 },
      ourAddress: operatorActor.address,
      policy: { feeAddress: feeCollector.address, fees: [], maxInputs: 16, maxOutputs: 16 },
      finalityDepth: 2,
      blockIntervalMs: 4_000,
      maxSilenceSeconds: 100,
      maxBlockTxs: 4,
      ownerLimit: { perSecond: 0, burst: 0 },
      sender,
      log: memory.log,
      now: () => clock.ms,
      publish: () => undefined,
      ...options,
    })
  }
  const world: World = {
    core: start(onWrite),
    l1,
    sender,
    memory,
    clock,
    file,
    options,
    see: (events) => {
      world.core.applyL1(events, l1.cursor)
      world.core.step()
    },
    deposit: (owner, amount, token = ETH) => {
      const position = encodePosition({
        block: world.core.view.committed(),
        index: DEPOSIT_INDEX + deposits++,
        output: 0,
      })
      world.see(l1.mine(1, [logs.deposited(position, owner.address, amount, token)]))
      world.see(l1.mine(2))
      return position
    },
    admit: (...transactions) => world.core.store.append(() => world.core.admit(transactions.map(prepare))),
    accept: (transaction) => {
      const [outcome] = world.admit(transaction)
      if (outcome?.status !== 'accepted') throw new Error(`refused: ${JSON.stringify(outcome?.error)}`)
      return outcome.position
    },
    commitments: (first, last) =>
      Array.from({ length: last - first + 1 }, (_, i) => {
        const found = world.core.views.block(first + i)
        if (!found) throw new Error(`no block ${first + i}`)
        return { root: found.root, txCount: found.txCount, anchor: found.anchor }
      }),
    restart: (hook) => {
      world.core.store.db.close()
      world.core = start(hook)
    },
    close: () => {
      world.core.store.db.close()
      rmSync(directory, { recursive: true })
    },
  }
  world.see(l1.mine(2))
  world.see(l1.mine(1, [logs.bondPosted(BOND), logs.rotated(operatorActor.address)]))
  world.see(l1.mine(2))
  return world
}

export function prepare(signed: SignedTransaction) {
  const body = encodeTransaction(signed)
  const [prepared] = prepareBatch({
    bytes: body,
    ends: Uint32Array.of(body.length),
    separator: domainSeparator(DOMAIN),
  })
  if (!prepared || !isPrepared(prepared)) throw new Error('malformed')
  return { body, prepared }
}

/** The code of a refusal. */
export function codeOf(outcome: Outcome | undefined): string {
  return outcome?.status === 'rejected' ? outcome.error.code : 'ACCEPTED'
}

/**
 * A child chain and a root contract in memory for the wallet's tests: the real rules (findFault, Merkle trees, hashes), no network, a
 * clock that moves when somebody waits. What the operator says can be bent to lie.
 */
import type { Activity, ExitData, OwnedOutput, SubmitResult, TransactionStatus } from '../../api/schemas.ts'
import type { RootEvent } from '../../l1/rootEvents.ts'
import { blockTree, type Header, hashHeader, hashWitnesses, proveTransaction } from '../../protocol/block.ts'
import { type Address, bytesToHex, type Hash, type Hex, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { retryable } from '../../protocol/errors.ts'
import { PRESETS } from '../../protocol/parameters.ts'
import {
  DEPOSIT_INDEX,
  decodePosition,
  depositIdOf,
  encodePosition,
  isDepositPosition,
  outputIdOf,
} from '../../protocol/position.ts'
import { createOutput, hashTransaction, type SignedTransaction, witnessOf } from '../../protocol/transaction.ts'
import { applyTransaction, type ExistingOutput, findFault } from '../../protocol/validity.ts'
import { openDatabase } from '../../service/database.ts'
import { recoverAddress } from '../../signatures/recover.ts'
import { createAccount } from '../../wallet/account.ts'
import { createContext, type WalletContext } from '../../wallet/context.ts'
import { depositHashOf } from '../../wallet/exitData.ts'
import type { BatchRecord, DisputeRecord, ExitRecord, L1Act, L1Done, RootReads } from '../../wallet/ports.ts'
import { createWalletStore, WALLET_MIGRATIONS } from '../../wallet/store.ts'
import { openTokenBook } from '../../wallet/tokens.ts'

export const ETH = ZERO_ADDRESS
export const TST: Address = `0x${'aa'.repeat(20)}`
export const OPERATOR: Address = `0x${'0f'.repeat(20)}`
const ROOT: Address = `0x${'cc'.repeat(20)}`
const DOMAIN = { chainId: 31337, rootContract: ROOT }
const ZERO_25 = `0x${'00'.repeat(25)}` as Hex
/** What most records of an exit have beside hash and state. */
export const NO_EXIT = { evidence: 0, hasMore: false, rewarded: false, running: 0, contested: false } as const
const NO_DISPUTE: DisputeRecord = {
  disputeHash: ZERO_25,
  verdict: 'none',
  answer: 0,
  hasCompetitor: false,
  bondFell: false,
  unweighed: 0,
}

type Placed = { signed: SignedTransaction; txHash: Uint8Array; position: number }

export type FakeWorld = ReturnType<typeof createFakeWorld>

export function createFakeWorld({ fee = 0n, feeToken = ETH }: { fee?: bigint; feeToken?: Address } = {}) {
  const separator = domainSeparator(DOMAIN)
  const outputs = new Map<number, ExistingOutput>()
  const accepted = new Map<Hash, Placed>()
  const blocks = new Map<number, { header: Header; placed: Placed[] }>()
  const deposits = new Map<number, { owner: Address; token: Address; amount: bigint }>()
  const acts: L1Act[] = []
  const records = new Map<Hash, ExitRecord>()
  const disputes = new Map<Hash, DisputeRecord>()
  const batches = new Map<Hash, BatchRecord>()
  const invalid = new Set<number>()
  const events: RootEvent[] = []
  const exiting = new Set<number>()
  let open: Placed[] = []
  const world = {
    acts,
    events,
    records,
    disputes,
    batches,
    invalid,
    exiting,
    outputs,
    deposits,
    blocks,
    accepted,
    nowSeconds: 1_000_000,
    down: false,
    /** What the operator answers to every payment for now. */
    refusesNow: undefined as Extract<SubmitResult, { status: 'rejected' }>['error'] | undefined,
    /** Answers lost on the way back from the operator. */
    lostAnswers: 0,
    voidFrom: 0,
    /** Child blocks that nobody shows. */
    withheld: new Set<number>(),
    lastMove: 0,
    etherWei: 10n ** 20n,
    bendOutput: (output: OwnedOutput): OwnedOutput => output,
    bendExitData: (data: ExitData): ExitData => data,
    bendTransaction: (status: TransactionStatus): TransactionStatus => status,
    onSend: (_act: L1Act): L1Done => ({ txHash: `0x${'77'.repeat(32)}`, l1Block: 9, events: [] }),

    deposit(owner: Address, token: Address, amount: bigint): number {
      const position = encodePosition({ block: blocks.size, index: DEPOSIT_INDEX + deposits.size, output: 0 })
      deposits.set(position, { owner, token, amount })
      outputs.set(position, { owner, token, amount, depositedAt: 1 })
      return position
    },

    /** Cuts the open block and puts it on L1. */
    seal(): number {
      const number = blocks.size + 1
      const hashed = open.map(({ txHash, signed }) => ({ txHash, witnessesHash: hashWitnesses(signed.witnesses) }))
      const root = bytesToHex(blockTree(hashed).root)
      const header = { root, txCount: open.length, anchor: 5, timestamp: Math.floor(world.nowSeconds) }
      blocks.set(number, { header, placed: open })
      open = []
      return number
    },

    /** The operator breaks its promises: what it accepted since the last block is in no block, and others get its places. */
    dropOpen(): void {
      open = []
    },

    /** `store`: another wallet's, as accounts of one data directory share theirs. */
    wallet(seed: number, { store }: { store?: WalletContext['store'] } = {}): WalletContext {
      const account = createAccount(new Uint8Array(32).fill(seed))
      return createContext({
        account,
        domain: DOMAIN,
        child,
        sources: [{ name: 'operator', exitData, transaction: child.transaction }],
        root: rootReads,
        send: async (act) => {
          acts.push(act)
          return world.onSend(act)
        },
        store:
          store ??
          createWalletStore(openDatabase({ file: ':memory:', applicationId: 7, migrations: WALLET_MIGRATIONS })),
        tokens: openTokenBook({
          path: '/nonexistent/tokens.json',
          chainId: 31337,
          readMetadata: async () => ({ symbol: 'TST', decimals: 18 }),
        }),
        waiting: {
          sleep: async (ms) => {
            world.nowSeconds += ms / 1000
          },
          now: () => Math.floor(world.nowSeconds * 1000),
        },
        report: () => undefined,
      })
    },
  }

  function answer<T>(value: T): T {
    if (world.down) throw retryable('SERVER_UNREACHABLE', 'the operator is down')
    return value
  }

  function submitOne(signed: SignedTransaction): SubmitResult {
    const digest = hashTransaction(signed.transaction, separator)
    const txHash = bytesToHex(digest)
    const known = accepted.get(txHash)
    if (known) return { status: 'accepted', txHash, position: known.position }
    if (world.refusesNow) return { status: 'rejected', txHash, error: world.refusesNow }
    const place = { block: blocks.size + 1, index: open.length, anchor: 5 }
    const signers = signed.transaction.inputs.map((_, i) => recoverAddress(digest, witnessOf(signed.witnesses, i)))
    const state = {
      find: (position: number) => outputs.get(position),
      spend: (position: number, by: number) => outputs.set(position, { ...outputs.get(position)!, spentBy: by }),
      create: (position: number, output: ExistingOutput) => outputs.set(position, output),
    }
    const fault = findFault(signed, { ...place, signers }, state)
    const paid = signed.transaction.outputs.some(
      ({ owner, token, amount }) => owner === OPERATOR && token === feeToken && amount >= fee,
    )
    if (fault || (fee > 0n && !paid)) {
      const error = fault ? { code: fault.code, message: fault.rule } : { code: 'FEE_TOO_LOW', message: 'no fee' }
      return { status: 'rejected', txHash, error }
    }
    applyTransaction(signed, place, state as never)
    const position = encodePosition({ ...place, output: 0 })
    const placed = { signed, txHash: digest, position }
    open.push(placed)
    accepted.set(txHash, placed)
    return { status: 'accepted', txHash, position }
  }

  const child: WalletContext['child'] = {
    submit: async (transactions) => {
      const results = answer(transactions.map(submitOne))
      if (world.lostAnswers > 0) {
        world.lostAnswers--
        throw retryable('SERVER_TIMEOUT', 'no answer')
      }
      return results
    },
    transaction: async (txHash) => {
      const found = answer(accepted.get(txHash))
      if (!found) return undefined
      const { block } = decodePosition(found.position)
      const { position, signed } = found
      return world.bendTransaction({
        txHash,
        position,
        stage: blocks.has(block) ? 'committed' : 'accepted',
        transaction: {
          ...signed.transaction,
          inputs: [...signed.transaction.inputs],
          outputs: [...signed.transaction.outputs],
        },
        witnesses: signed.witnesses,
      })
    },
    outputs: async (owner, page = {}) => {
      answer(0)
      const own = [...outputs].filter(([, one]) => one.owner === owner && one.spentBy === undefined)
      const listed = own
        .filter(([, { token }]) => page.token === undefined || token === page.token)
        .map(([position, { token, amount }]) =>
          world.bendOutput({
            position,
            outputId: idOf(position),
            token,
            amount,
            state: exiting.has(position) ? 'exiting' : 'unspent',
          }),
        )
        .filter(({ position }) => position > (page.cursor ?? -1))
        .sort((a, b) => a.position - b.position)
      const shown = listed.slice(0, 3)
      return { outputs: shown, ...(listed.length > 3 ? { nextCursor: shown.at(-1)!.position } : {}) }
    },
    history: async (owner, page = {}) => {
      const all = [...answer(accepted).values()].flatMap(({ signed, txHash, position }, cursor): Activity[] => {
        const parties = [
          ...signed.transaction.inputs.map((input) => outputs.get(input)?.owner),
          ...signed.transaction.outputs.map((output) => output.owner),
        ]
        if (!parties.includes(owner)) return []
        return [{ cursor, kind: 'payment', position, txHash: bytesToHex(txHash), changes: [], parties: [] }]
      })
      const entries = all.reverse().filter(({ cursor }) => cursor < (page.cursor ?? Number.POSITIVE_INFINITY))
      const shown = entries.slice(0, 2)
      return { entries: shown, ...(entries.length > 2 ? { nextCursor: shown.at(-1)!.cursor } : {}) }
    },
    fees: async () => answer({ feeAddress: OPERATOR, fees: fee > 0n ? [{ token: feeToken, minimum: fee }] : [] }),
    status: async () =>
      answer({
        role: 'operator',
        version: '0',
        ...DOMAIN,
        sealed: 0,
        committed: 0,
        final: 0,
        l1Block: 1,
        problems: [],
      }),
  }

  function idOf(position: number): Hash {
    if (isDepositPosition(position)) return depositIdOf(position)
    const placed = [...accepted.values()].findLast((one) => one.position === position - (position % 16))
    return outputIdOf(placed!.txHash, position % 16)
  }

  async function exitData(position: number): Promise<ExitData | undefined> {
    answer(0)
    const deposit = deposits.get(position)
    if (deposit) {
      const output = createOutput(deposit.owner, deposit.token, deposit.amount)
      return world.bendExitData({ kind: 'deposit', position, outputId: depositIdOf(position), output, l1Block: 1 })
    }
    const { block, index, output } = decodePosition(position)
    const found = blocks.get(block)
    const placed = found?.placed[index]
    if (!found || !placed || world.withheld.has(block)) return undefined
    const hashed = found.placed.map(({ txHash, signed }) => ({
      txHash,
      witnessesHash: hashWitnesses(signed.witnesses),
    }))
    const { witnessesHash, path } = proveTransaction(hashed, index)
    const { transaction } = placed.signed
    return world.bendExitData({
      kind: 'transaction',
      position,
      outputId: outputIdOf(placed.txHash, output),
      output: transaction.outputs[output]!,
      txHash: bytesToHex(placed.txHash),
      transaction: { ...transaction, inputs: [...transaction.inputs], outputs: [...transaction.outputs] },
      header: found.header,
      proof: { witnessesHash, path: [...path] },
    })
  }

  const rootReads: RootReads = {
    address: ROOT,
    chainId: 31337,
    parameters: PRESETS.devnet,
    now: async () => ({ l1Block: 10, timestamp: Math.floor(world.nowSeconds) }),
    head: async () => ({ voidFrom: world.voidFrom, newest: blocks.size, newestTime: 0, lastMove: world.lastMove }),
    operator: async () => OPERATOR,
    queue: async () => ({ oldHead: 0, oldTail: 9, youngFirst: 0, youngCursor: 0 }),
    exitBond: async () => 1000n,
    exitRecord: async (outputId) => records.get(outputId) ?? { ...NO_EXIT, exitHash: ZERO_25, state: 'none' },
    disputeBond: async (count) => 900n + 20n * BigInt(count),
    disputeRecord: async (txHash) => disputes.get(txHash) ?? NO_DISPUTE,
    batchRecord: async (batchId) => batches.get(batchId) ?? { state: 'none', isClosed: false, demands: 0, fundWei: 0n },
    batchBond: async (count) => 400n + 60n * BigInt(count),
    baseFee: async () => 10n ** 9n,
    isInvalid: async (position) => invalid.has(position),
    ticket: async () => ({ from: 0n, due: 0n }),
    funded: async () => 10n ** 30n,
    headerHash: async (block) => {
      const found = blocks.get(block)
      return found ? (hashHeader(found.header).slice(0, 52) as Hex) : ZERO_25
    },
    depositHash: async (position) => {
      const found = deposits.get(position)
      return found ? depositHashOf(found) : (`0x${'00'.repeat(27)}` as Hex)
    },
    credit: async () => 0n,
    revokedAt: async () => 0,
    etherOf: async () => world.etherWei,
    callData: async () => undefined,
    token: {
      metadata: async () => ({ symbol: 'TST', decimals: 18 }),
      balanceOf: async () => 10n ** 30n,
      allowance: async () => 0n,
      permitDomain: async () => undefined,
    },
    events: async ({ types, outputId, owner, disputed }) =>
      events.filter((event) => {
        if (!types.includes(event.type)) return false
        if (event.type === 'ExitStarted') {
          const { exit } = event
          return (outputId ?? exit.outputId) === exit.outputId && (owner ?? exit.owner) === exit.owner
        }
        if (event.type === 'DisputeStarted') return (disputed ?? event.dispute.txHash) === event.dispute.txHash
        return true
      }),
  }

  return world
}

/**
 * The root contract's views and events through an L1 endpoint (docs/spec.md, "Reading L1"). Logs come by filter, unproven: a wallet does
 * not follow all of L1. What is used of them is compared with the contract's own hashes first (exits.ts), and a log that an endpoint hides
 * can delay the wallet, never cost it anything.
 */
import { type Abi, encodeEventTopics, erc20Abi } from 'viem'
import { z } from 'zod'
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import { readHeader, readHeaderByHash } from '../l1/blocks.ts'
import { readDisputeBond, readExitBond } from '../l1/bonds.ts'
import type { Endpoint } from '../l1/endpoint.ts'
import type { L1Header } from '../l1/header.ts'
import { getBalance, readContract } from '../l1/reads.ts'
import { decodeRootEvents, type RootEvent } from '../l1/rootEvents.ts'
import { data, address as rpcAddress, hash as rpcHash, smallQuantity } from '../l1/rpcSchemas.ts'
import type { Address, Hash, Hex } from '../protocol/bytes.ts'
import { invalid, isLifeboatError, retryable } from '../protocol/errors.ts'
import type { BatchState } from '../protocol/massExit.ts'
import type { Parameters } from '../protocol/parameters.ts'
import type { EventFilter, ExitState, RootReads, TokenReads, VerdictState } from './ports.ts'

/** L1 blocks per eth_getLogs; halved for as long as the endpoint refuses. */
const LOG_RANGE = 10_000
const EXIT_STATES: readonly ExitState[] = [
  'none',
  'locked',
  'queued',
  'ticket',
  'settled',
  'removed',
  'cancelled',
  'cancelled-ticket',
]
const BATCH_STATES: readonly BatchState[] = ['none', 'started', 'locked', 'dissolved']
const VERDICTS: readonly VerdictState[] = ['none', 'running', 'canonical', 'not-canonical']

const rpcLog = z.looseObject({
  address: rpcAddress,
  topics: z.array(rpcHash),
  data,
  blockNumber: smallQuantity,
  blockHash: rpcHash,
  transactionHash: rpcHash,
  logIndex: smallQuantity,
})
type RpcLog = z.output<typeof rpcLog>

const stringMetadataAbi = erc20Abi
const bytesMetadataAbi = [
  { type: 'function', name: 'symbol', stateMutability: 'view', inputs: [], outputs: [{ type: 'bytes32' }] },
] as const
const permitAbi = [
  { type: 'function', name: 'DOMAIN_SEPARATOR', stateMutability: 'view', inputs: [], outputs: [{ type: 'bytes32' }] },
  {
    type: 'function',
    name: 'nonces',
    stateMutability: 'view',
    inputs: [{ name: 'owner', type: 'address' }],
    outputs: [{ type: 'uint256' }],
  },
] as const

export type RootReadsOptions = Readonly<{
  endpoint: Endpoint
  rootContract: Address
  /** First L1 block that may hold events. */
  startBlock: number
}>

/** Reads the parameters once. Throws CONTRACT_MISSING, and what l1/reads throws. */
export async function createRootReads({ endpoint, rootContract, startBlock }: RootReadsOptions): Promise<RootReads> {
  const at = () => newestBlock(endpoint)
  async function view(functionName: string, args: readonly unknown[] = []): Promise<unknown> {
    return readContract(endpoint, { address: rootContract, abi: iLifeboatAbi as Abi, functionName, args }, await at())
  }
  const list = async (functionName: string, args: readonly unknown[] = []) =>
    (await view(functionName, args)) as readonly unknown[]
  const parameters = (await view('parameters')) as Parameters
  return {
    address: rootContract,
    chainId: endpoint.chainId,
    parameters,
    token: createTokenReads(endpoint, at),
    exitBond: async () => readExitBond(endpoint, rootContract, await at()),
    headerHash: async (block) => (await list('blockRecord', [BigInt(block)]))[0] as Hex,
    depositHash: async (position) => (await list('depositRecord', [BigInt(position)]))[0] as Hex,
    credit: async (token, account) => (await view('credit', [token, account])) as bigint,
    revokedAt: async (owner, epoch) => Number(await view('revokedAt', [owner, BigInt(epoch)])),
    etherOf: async (account) => getBalance(endpoint, account, await at()),
    callData: async (txHash) => {
      const call = { method: 'eth_getTransactionByHash', params: [txHash] }
      return (await endpoint.read(call, z.looseObject({ input: data }).nullable()))?.input
    },
    now: async () => {
      const { number, timestamp } = await at()
      return { l1Block: number, timestamp }
    },
    head: async () => {
      const [voidFrom, newest, newestTime, , , , lastMove] = (await list('head')) as readonly number[]
      return { voidFrom, newest, newestTime, lastMove } as Awaited<ReturnType<RootReads['head']>>
    },
    operator: async () => ((await view('operator')) as string).toLowerCase() as Address,
    queue: async () => {
      const [oldHead, oldTail, youngFirst, , youngCursor] = (await list('queue')) as readonly number[]
      return { oldHead, oldTail, youngFirst, youngCursor } as Awaited<ReturnType<RootReads['queue']>>
    },
    disputeBond: async (inputs) => readDisputeBond(endpoint, rootContract, await at(), inputs),
    isInvalid: async (position) => (await view('isInvalid', [BigInt(position)])) as boolean,
    funded: async (token) => (await list('totals', [token]))[0] as bigint,
    ticket: async (outputId) => {
      const [from, due] = await list('ticket', [outputId])
      return { from: from as bigint, due: due as bigint }
    },
    exitRecord: async (outputId) => {
      const [exitHash, state, evidence, hasMore, rewarded, running, contested] = await list('exitRecord', [outputId])
      return {
        exitHash: exitHash as Hex,
        state: nameOf(EXIT_STATES, state, 'exit state'),
        evidence: Number(evidence),
        hasMore: hasMore as boolean,
        rewarded: rewarded as boolean,
        running: Number(running),
        contested: contested as boolean,
      }
    },
    disputeRecord: async (txHash) => {
      const [disputeHash, verdict, answer, hasCompetitor, bondFell, , unweighed] = await list('disputeRecord', [txHash])
      return {
        disputeHash: disputeHash as Hex,
        verdict: nameOf(VERDICTS, verdict, 'verdict'),
        answer: Number(answer),
        hasCompetitor: hasCompetitor as boolean,
        bondFell: bondFell as boolean,
        unweighed: Number(unweighed),
      }
    },
    batchRecord: async (batchId) => {
      const [state, isClosed, demands, fund] = await list('batchRecord', [batchId])
      return {
        state: nameOf(BATCH_STATES, state, 'state of a mass exit'),
        isClosed: isClosed as boolean,
        demands: Number(demands),
        fundWei: fund as bigint,
      }
    },
    batchBond: async (count) => (await view('batchBond', [BigInt(count)])) as bigint,
    baseFee: async () => (await at()).baseFeePerGas,
    events: async (filter) => {
      const last = (await at()).number
      const logs = await readLogs(endpoint, rootContract, { filter, first: filter.fromL1Block ?? startBlock, last })
      return decodeInBlocks(endpoint, logs)
    },
  }
}

/** The endpoint's newest block. Throws (retryable) HEAD_MISSING, and what `Endpoint.read` throws. */
export async function newestBlock(endpoint: Endpoint): Promise<L1Header> {
  const header = await readHeader(endpoint, 'latest')
  if (header) return header
  throw retryable('HEAD_MISSING', `L1 endpoint ${endpoint.name} has no latest block`, { got: null, want: 'a block' })
}

function createTokenReads(endpoint: Endpoint, at: () => Promise<L1Header>): TokenReads {
  return {
    async metadata(token) {
      const block = await at()
      const address = token
      const decimals = await readContract(
        endpoint,
        { address, abi: stringMetadataAbi, functionName: 'decimals' },
        block,
      )
      const symbol = await readContract(
        endpoint,
        { address, abi: stringMetadataAbi, functionName: 'symbol' },
        block,
      ).catch(async (error: unknown) => {
        // Some old tokens answer with a bytes32.
        if (!isLifeboatError(error) || error.family === 'retryable') throw error
        const word = await readContract(endpoint, { address, abi: bytesMetadataAbi, functionName: 'symbol' }, block)
        return Buffer.from(word.slice(2), 'hex').toString('latin1').replace(/\0+$/, '')
      })
      return { symbol, decimals }
    },
    async balanceOf(token, account) {
      return readContract(
        endpoint,
        { address: token, abi: erc20Abi, functionName: 'balanceOf', args: [account] },
        await at(),
      )
    },
    async allowance(token, owner, spender) {
      const args = [owner, spender] as const
      return readContract(endpoint, { address: token, abi: erc20Abi, functionName: 'allowance', args }, await at())
    },
    async permitDomain(token, owner) {
      const block = await at()
      try {
        const separator = await readContract(
          endpoint,
          { address: token, abi: permitAbi, functionName: 'DOMAIN_SEPARATOR' },
          block,
        )
        const nonce = await readContract(
          endpoint,
          { address: token, abi: permitAbi, functionName: 'nonces', args: [owner] },
          block,
        )
        return { separator, nonce }
      } catch (error) {
        if (!isLifeboatError(error) || error.family === 'retryable') throw error
        return undefined
      }
    },
  }
}

type LogQuery = Readonly<{ filter: EventFilter; first: number; last: number }>

/** In ranges that shrink while the endpoint refuses them as too large, in the order of the chain. */
async function readLogs(endpoint: Endpoint, address: Address, { filter, first, last }: LogQuery): Promise<RpcLog[]> {
  const topicLists = filter.types.flatMap((type) => topicsOf(type, filter))
  const found: RpcLog[] = []
  let range = LOG_RANGE
  for (let from = first; from <= last; ) {
    const to = Math.min(last, from + range - 1)
    try {
      for (const topics of topicLists) {
        const query = { address, topics, fromBlock: hexNumber(from), toBlock: hexNumber(to) }
        found.push(...(await endpoint.read({ method: 'eth_getLogs', params: [query] }, z.array(rpcLog))))
      }
      from = to + 1
    } catch (error) {
      if (range === 1 || !isLifeboatError(error) || error.code !== 'RPC_REFUSED') throw error
      range = Math.ceil(range / 4)
    }
  }
  return found
    .filter((log) => log.address === address)
    .sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex)
}

const OF_OWNER: readonly RootEvent['type'][] = ['ExitStarted', 'Deposited', 'MandatesRevoked']
const OF_DISPUTE: readonly RootEvent['type'][] = [
  'DisputeStarted',
  'CompetitorShown',
  'DisputeAnswered',
  'DisputeDecided',
]

const OF_BATCH: readonly RootEvent['type'][] = [
  'BatchStarted',
  'EntryDemanded',
  'DemandAnswered',
  'BatchDissolved',
  'BatchLocked',
  'BatchClosed',
  'EntriesClaimed',
  'EntryStruck',
  'StrikeDropped',
  'EntryPlaced',
  'EntryReleased',
]

function topicsOf(type: RootEvent['type'], filter: EventFilter) {
  const { owner, outputId, deposit, disputed, batchId } = filter
  const args: Record<string, unknown> = {}
  if (owner !== undefined && OF_OWNER.includes(type)) args['owner'] = owner
  if (outputId !== undefined && (type.startsWith('Exit') || type.startsWith('Evidence'))) args['outputId'] = outputId
  if (deposit !== undefined && type === 'Deposited') args['position'] = BigInt(deposit)
  if (batchId !== undefined && OF_BATCH.includes(type)) args['batchId'] = batchId
  if (disputed !== undefined && OF_DISPUTE.includes(type)) args['txHash'] = disputed
  // Evidence against exits through a dispute has an event of its own, and is the same thing to us.
  const names = type === 'EvidenceShown' ? ['EvidenceShown', 'DisputedEvidenceShown'] : [type]
  return names.map((eventName) => encodeEventTopics({ abi: iLifeboatAbi as Abi, eventName, args }))
}

/** Throws RESULT_MALFORMED: a number that this version does not know means another contract. */
function nameOf<T>(names: readonly T[], number: unknown, what: string): T {
  const name = names[number as number]
  if (name !== undefined) return name
  throw invalid('RESULT_MALFORMED', `the root contract answers with an unknown ${what}`, { got: number, want: names })
}

async function decodeInBlocks(endpoint: Endpoint, logs: readonly RpcLog[]): Promise<RootEvent[]> {
  const times = new Map<Hash, number>()
  const events: RootEvent[] = []
  for (const log of logs) {
    const { blockHash: hash, blockNumber: number } = log
    const timestamp = times.get(hash) ?? (await readHeaderByHash(endpoint, hash))?.timestamp ?? 0
    times.set(hash, timestamp)
    events.push(...decodeRootEvents({ number, hash, timestamp }, [log]))
  }
  return events
}

function hexNumber(value: number): Hex {
  return `0x${value.toString(16)}`
}

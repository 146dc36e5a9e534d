/**
 * `npm run bench`: payments a second, from one run on this machine. A load generator that signed beforehand, the real operator in its
 * own process, SQLite on disk, durable before acknowledged; a watcher that catches up cold; and libsecp256k1's own speed as the limit
 * of both. `--json` prints one object. `--seconds n` sets the length of the stream (30).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient as createApiClient } from '../api/client.ts'
import type { Deployment } from '../l1/deployment.ts'
import { encodeDepositEth } from '../l1/rootCalls.ts'
import { bytesToHex, type Hex, hexToBytes } from '../protocol/bytes.ts'
import { keccak256Hex, keccak256Text } from '../protocol/keccak.ts'
import { addressOfKey } from '../signatures/sign.ts'
import { startAnvil } from '../test/support/anvil.ts'
import { actors, createClient, deployRootChain, ETHER, eventOf, type RootChain } from '../test/support/rootChain.ts'
import { perOne, readCpu } from './loadCpu.ts'
import { measureLimit } from './loadLimit.ts'
import {
  type CatchUpResult,
  type CatchUpTask,
  type OperatorTask,
  type StreamResult,
  type StreamTask,
  startPart,
} from './loadParts.ts'

const SEED = 'lifeboat bench account'
const DEPOSIT_WEI = 1_000n * ETHER
const OUTPUTS_PER_DEPOSIT = 16 ** 4
/** Payments a second that the signed supply is made for. */
const SUPPLY_RATE = 16_000

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, seconds: { type: 'string', default: '30' } },
})
const seconds = Number(values.seconds)

function progress(words: string): void {
  if (!values.json) console.log(words)
}

async function describe(chain: RootChain): Promise<Deployment> {
  const hash = keccak256Hex(new Uint8Array())
  const code = async (address: Hex) => keccak256Hex(hexToBytes((await chain.client.getCode({ address })) ?? '0x'))
  const start = await chain.client.getBlock({ blockNumber: 0n })
  const root = { address: chain.root, transactionHash: hash, codeHash: await code(chain.root), compilerHash: hash }
  return {
    version: 1,
    chainId: chain.chainId,
    contracts: { root, surety: root },
    parameters: { ...chain.parameters },
    startBlock: { number: 0, hash: start.hash },
  }
}

/** Blocks on L1 from one feed of the operator: how many payments they hold, once `count` are there. */
function untilCommitted(url: string, count: number): Promise<number> {
  return new Promise((resolve) => {
    const counts = new Map<number, number>()
    const feed = createApiClient({ url }).feed([{ topic: 'blocks', cursor: 0 }], {
      onEvent: (event) => {
        if (!('block' in event) || event.block.stage !== 'committed') return
        counts.set(event.block.number, event.block.txCount)
        const total = [...counts.values()].reduce((sum, one) => sum + one, 0)
        if (total < count) return
        feed.close()
        resolve(total)
      },
    })
  })
}

async function main(): Promise<void> {
  progress('measuring libsecp256k1')
  const limitsBefore = [await measureLimit(1, 2), await measureLimit(2, 2)] as const
  const directory = mkdtempSync(join(tmpdir(), 'lifeboat-bench-'))
  const anvil = await startAnvil(['--block-time', '1'])
  try {
    const l1 = createClient(anvil.url)
    progress('deploying')
    const chain = await deployRootChain(l1, { maxBlockTxs: 2 ** 12 })
    const payer = addressOfKey(keccak256Text(`${SEED} 0`))
    const deposits: number[] = []
    const depositCount = Math.ceil((seconds * SUPPLY_RATE) / OUTPUTS_PER_DEPOSIT)
    for (let i = 0; i < depositCount; i++) {
      const { events } = await chain.send(actors.alice.account, encodeDepositEth(payer, DEPOSIT_WEI))
      deposits.push(eventOf(events, 'Deposited').position)
    }
    const deployment = await describe(chain)
    const privateKey = bytesToHex(actors.operator.account.getHdKey().privateKey ?? new Uint8Array())
    const operatorTask: OperatorTask = {
      deployment,
      l1Url: anvil.url,
      dataDir: join(directory, 'operator'),
      privateKey,
      threads: 2,
    }
    const operator = startPart('./loadOperator.ts', operatorTask)
    const { url } = await operator.next<{ url: string }>()
    await untilSpendable(url, payer, depositCount)
    progress('making outputs and signing payments')
    const streamTask: StreamTask = {
      ...{ url, chainId: chain.chainId, rootContract: chain.root, seed: SEED, accounts: 256, deposits },
      ...{ depositWei: String(DEPOSIT_WEI), levels: 4, seconds, batch: 64, connections: 32 },
    }
    const payers = startPart('./loadPayments.ts', streamTask)
    const { ready } = await payers.next<{ ready: number }>()
    const setUp = depositCount * (1 + 16 + 256 + 4096)
    await untilCommitted(url, setUp)
    progress(`streaming ${ready} payments for ${seconds} s`)
    const streamFrom = readCpu(operator.pid)
    payers.say('go')
    const stream = await payers.next<StreamResult>()
    const streaming = perOne(streamFrom, readCpu(operator.pid), stream.accepted)
    const included = (await untilCommitted(url, setUp + stream.accepted)) - setUp
    progress('a watcher catches up')
    const watching: CatchUpTask = {
      deployment,
      l1Url: anvil.url,
      operatorUrl: url,
      file: join(directory, 'watcher.db'),
      threads: 2,
    }
    const watcher = startPart('./loadWatcher.ts', watching)
    await watcher.next()
    const [servingFrom, watchingFrom] = [readCpu(operator.pid), readCpu(watcher.pid)]
    watcher.say('go')
    const caughtUp = await watcher.next<CatchUpResult>()
    const total = setUp + included
    const serving = perOne(servingFrom, readCpu(operator.pid), total)
    const checking = perOne(watchingFrom, readCpu(watcher.pid), total)
    watcher.say('stop')
    operator.say('stop')
    await operator.next()
    // Before and after, because a shared machine's speed changes within the minutes of a run.
    const limitRecoverPerSecond1 = (limitsBefore[0] + (await measureLimit(1, 2))) / 2
    const limitRecoverPerSecond2 = (limitsBefore[1] + (await measureLimit(2, 2))) / 2
    const result = {
      limitRecoverPerSecond1: Math.round(limitRecoverPerSecond1),
      limitRecoverPerSecond2: Math.round(limitRecoverPerSecond2),
      paymentsPerSecondStream: Math.round(Math.min(stream.accepted, included) / stream.seconds),
      ackP50Ms: round(stream.ackP50Ms),
      ackP99Ms: round(stream.ackP99Ms),
      watcherPaymentsPerSecond: Math.round(total / caughtUp.seconds),
      streamSeconds: round(stream.seconds),
      streamAccepted: stream.accepted,
      streamRejected: stream.rejected,
      streamIncluded: included,
      streamShareOfLimit: round(stream.accepted / stream.seconds / limitRecoverPerSecond2),
      watcherShareOfLimit: round(total / caughtUp.seconds / limitRecoverPerSecond2),
      watcherBlocks: caughtUp.blocks,
      operatorMainMicros: streaming.main,
      operatorOtherMicros: streaming.others,
      watcherMainMicros: checking.main,
      watcherOtherMicros: checking.others,
      servingMicros: round(serving.main + serving.others),
    }
    report(result, stream, caughtUp)
  } finally {
    anvil.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function untilSpendable(url: string, owner: Hex, count: number): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    const { outputs } = await createApiClient({ url }).outputs(owner)
    if (outputs.filter(({ state }) => state === 'unspent').length === count) return
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  throw new Error('the deposits did not become spendable within 30 s')
}

function report(result: Record<string, number>, stream: StreamResult, caughtUp: CatchUpResult): void {
  if (stream.firstRejection !== undefined) console.error(`refused: ${stream.firstRejection}`)
  if (stream.ranDry) console.error('the signed payments ran out before the time')
  if (caughtUp.problems.length > 0) console.error(`watcher: ${caughtUp.problems.join('; ')}`)
  if (values.json) console.log(JSON.stringify(result))
  else for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(26)} ${value}`)
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

await main()
process.exit(0)

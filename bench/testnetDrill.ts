/**
 * `npm run testnet-drill -- thief --seed 3 --pace 60`: plays a drill as on a public testnet, only faster. A fresh anvil mines blocks of 12 s
 * of L1 time each, `pace` times as fast as the wall's clock, behind a door that refuses every decree: keys are funded by transfers, periods
 * are the testnet preset's, and time is waited for. Prints the record's lines, and what the funder is poorer by.
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createPublicClient, formatEther, http } from 'viem'
import { describeDrill } from '../drill/reportText.ts'
import { runScenario } from '../drill/run.ts'
import { missingFor } from '../drill/scenario.ts'
import { findScenario, SCENARIOS } from '../drill/scenarios.ts'
import { hexToBytes } from '../protocol/bytes.ts'
import { PRESETS } from '../protocol/parameters.ts'
import { startAnvil } from '../test/support/anvil.ts'
import { createAccount } from '../wallet/account.ts'

const METHOD_NOT_FOUND = -32_601
const NO_DECREES = { canTravel: false, canReorg: false }
/** Anvil's first account: published, funded at genesis, worth nothing anywhere else. */
const FUNDER = createAccount(hexToBytes('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'))

type Call = Readonly<{ id: unknown; method: string }>

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    owners: { type: 'string' },
    pace: { type: 'string', default: '60' },
  },
})
const [name = ''] = positionals
const playable = SCENARIOS.filter((one) => missingFor(one, NO_DECREES).length === 0)
const scenario = playable.find((one) => one === findScenario(name))
if (!scenario) {
  console.error(`got ${name || 'no scenario'}, want one of ${playable.map((one) => one.name).join(', ')}`)
  process.exit(1)
}

const { min, max } = scenario.owners
const seed = numberOf('seed', values.seed, { min: 0, max: 2 ** 32 - 1 })
const pace = numberOf('pace', values.pace, { min: 1, max: 1_000 })
const owners = values.owners === undefined ? undefined : numberOf('owners', values.owners, { min, max })

const anvil = await startAnvil(['--no-mining'])
const mining = mineSlots(anvil.url, (PRESETS.testnet.slot * 1000) / pace)
try {
  const door = await openDoor(anvil.url)
  try {
    const client = createPublicClient({ transport: http(anvil.url) })
    const before = await client.getBalance(FUNDER)
    const record = await runScenario(scenario, {
      seed,
      url: door.url,
      funder: FUNDER,
      pace,
      report: (line) => console.error(`  ${line}`),
      ...(owners === undefined ? {} : { owners }),
    })
    for (const line of describeDrill(record)) console.log(line)
    console.log(`  the funder is poorer by ${formatEther(before - (await client.getBalance(FUNDER)))} ETH`)
    process.exitCode = record.passed ? 0 : 1
  } finally {
    door.close()
  }
} finally {
  await mining.stop()
  anvil.stop()
}

/** Ends the program where it is none. */
function numberOf(option: string, text: string, { min, max }: Readonly<{ min: number; max: number }>): number {
  const found = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (found >= min && found <= max) return found
  console.error(`--${option}: got ${text}, want an integer from ${min} to ${max}`)
  process.exit(1)
}

async function ask(url: string, method: string, params: readonly unknown[] = []): Promise<{ result?: unknown }> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  return (await response.json()) as { result?: unknown }
}

/** A block every so often, each a slot of L1 time after the one before. */
function mineSlots(url: string, everyMs: number): Readonly<{ stop(): Promise<void> }> {
  let isOver = false
  const mine = async () => {
    const { result } = await ask(url, 'eth_getBlockByNumber', ['latest', false])
    let time = Number((result as { timestamp: string }).timestamp)
    for (let next = Date.now(); !isOver; next += everyMs) {
      await sleep(Math.max(0, next - Date.now()))
      time += PRESETS.testnet.slot
      await ask(url, 'evm_setNextBlockTimestamp', [time])
      await ask(url, 'evm_mine')
    }
  }
  const done = mine()
  return {
    stop: async () => {
      isOver = true
      await done
    },
  }
}

/** What a testnet's endpoint offers, and no more. */
async function openDoor(url: string): Promise<Readonly<{ url: string; close(): void }>> {
  const answer = async (call: Call): Promise<unknown> => {
    const { id, method } = call
    if (method === 'web3_clientVersion') return { jsonrpc: '2.0', id, result: 'testnet' }
    if (!/^(eth|net|web3)_/.test(method))
      return { jsonrpc: '2.0', id, error: { code: METHOD_NOT_FOUND, message: `the method ${method} does not exist` } }
    const response = await fetch(url, {
      method: 'POST',
      body: JSON.stringify(call),
      headers: { 'content-type': 'application/json' },
    })
    return response.json()
  }
  const server = createServer(async (request, response) => {
    const asked = JSON.parse(await textOf(request)) as Call | Call[]
    const answers = Array.isArray(asked) ? await Promise.all(asked.map(answer)) : await answer(asked)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answers))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request) text += String(part)
  return text
}

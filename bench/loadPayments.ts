/**
 * The payers of the bench: makes many outputs out of a few deposits, signs payments of one input and two outputs beforehand, and then
 * only hands them in and waits for answers, over so many connections.
 */
import { createClient } from '../api/client.ts'
import { concatBytes, ZERO_ADDRESS, ZERO_HASH } from '../protocol/bytes.ts'
import { encodeTransaction } from '../protocol/codec.ts'
import { domainSeparator } from '../protocol/eip712.ts'
import { keccak256Text } from '../protocol/keccak.ts'
import { createOutput, hashTransaction, type Output } from '../protocol/transaction.ts'
import { addressOfKey, signDigest } from '../signatures/sign.ts'
import { answer, readTask, type StreamResult, type StreamTask } from './loadParts.ts'

const task = readTask<StreamTask>()
const separator = domainSeparator({ chainId: task.chainId, rootContract: task.rootContract })
const keys = Array.from({ length: task.accounts }, (_, i) => keccak256Text(`${task.seed} ${i}`))
const owners = keys.map(addressOfKey)
const client = createClient({ url: task.url, timeoutMs: 60_000 })

type Coin = Readonly<{ position: number; owner: number; amount: bigint }>

function sign(coin: Coin, outputs: readonly Output[]): Uint8Array {
  const transaction = { inputs: [coin.position], outputs, memo: ZERO_HASH }
  const witnesses = signDigest(hashTransaction(transaction, separator), keys[coin.owner] as Uint8Array)
  return encodeTransaction({ transaction, witnesses })
}

/** Hands in encoded transactions in order, and returns the positions of their first outputs. */
async function submitAll(bodies: readonly Uint8Array[]): Promise<number[]> {
  const positions: number[] = []
  for (let at = 0; at < bodies.length; at += 500) {
    for (const result of await client.submitEncoded(bodies.slice(at, at + 500))) {
      if (result.status === 'rejected') throw new Error(`setup was refused: ${JSON.stringify(result.error)}`)
      positions.push(result.position)
    }
  }
  return positions
}

async function fanOut(): Promise<Coin[]> {
  let coins: Coin[] = task.deposits.map((position) => ({ position, owner: 0, amount: BigInt(task.depositWei) }))
  for (let level = 0; level < task.levels; level++) {
    const made = coins.map((coin, i) => {
      const parts = Array.from({ length: 16 }, (_, output) => (i * 16 + output) % owners.length)
      const outputs = parts.map((owner) => createOutput(owners[owner] as never, ZERO_ADDRESS, coin.amount / 16n))
      return { coin, parts, body: sign(coin, outputs) }
    })
    const positions = await submitAll(made.map(({ body }) => body))
    coins = made.flatMap(({ coin, parts }, i) =>
      parts.map((owner, output) => ({ position: (positions[i] as number) + output, owner, amount: coin.amount / 16n })),
    )
  }
  return coins
}

function signPayment(coin: Coin, i: number): Uint8Array {
  const paid = coin.amount / 3n
  const to = owners[(coin.owner + 1 + (i % (owners.length - 1))) % owners.length] as never
  return sign(coin, [
    createOutput(to, ZERO_ADDRESS, paid),
    createOutput(owners[coin.owner] as never, ZERO_ADDRESS, coin.amount - paid),
  ])
}

async function stream(requests: readonly Uint8Array[]): Promise<StreamResult> {
  const latencies: number[] = []
  let [next, accepted, rejected, last] = [0, 0, 0, 0]
  let firstRejection: string | undefined
  const start = performance.now()
  const end = start + task.seconds * 1000
  const connection = async () => {
    while (performance.now() < end && next < requests.length) {
      const body = requests[next++] as Uint8Array
      const sentAt = performance.now()
      const results = await client.submitEncoded([body], task.batch)
      const now = performance.now()
      latencies.push(now - sentAt)
      last = Math.max(last, now)
      for (const result of results) {
        if (result.status === 'accepted') accepted++
        else {
          rejected++
          firstRejection ??= JSON.stringify(result.error)
        }
      }
    }
  }
  await Promise.all(Array.from({ length: task.connections }, connection))
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  return {
    accepted,
    rejected,
    ...(firstRejection === undefined ? {} : { firstRejection }),
    seconds: (last - start) / 1000,
    ackP50Ms: at(0.5),
    ackP99Ms: at(0.99),
    ranDry: next >= requests.length,
  }
}

const coins = await fanOut()
const bodies = coins.map(signPayment)
const requests: Uint8Array[] = []
for (let at = 0; at + task.batch <= bodies.length; at += task.batch) {
  requests.push(concatBytes(...bodies.slice(at, at + task.batch)))
}
answer({ ready: requests.length * task.batch })
process.once('message', () => {
  void stream(requests).then((result) => {
    answer(result)
    process.disconnect()
  })
})

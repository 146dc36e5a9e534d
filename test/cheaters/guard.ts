/**
 * An honest watcher: the whole core with its court on the real root contract. Only the outbox is replaced: what the court wrote down by now is sent at
 * once, or together with a rival's call in one L1 block.
 */
import { readHeader } from '../../l1/blocks.ts'
import type { Endpoint } from '../../l1/endpoint.ts'
import { followL1 } from '../../l1/follower.ts'
import { listRows, saveRow } from '../../l1/outboxStore.ts'
import { bytesToHex, type Hash } from '../../protocol/bytes.ts'
import { joinBody } from '../../protocol/codec.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { type CourtPolicy, defaultPolicy } from '../../watcher/court/policy.ts'
import { courtOf } from '../../watcher/driver.ts'
import { createReadL1 } from '../../watcher/driverReadings.ts'
import { signMandate } from '../support/moves.ts'
import { type Actor, type ChildBlock, Reverted } from '../support/rootChain.ts'
import { createFakePeer, encodeLoosely } from '../watcher/support/chain.ts'
import { createTestCore, openStore } from '../watcher/support/core.ts'
import { createFakeL1 } from '../watcher/support/l1.ts'
import type { Sent, Tracked } from './track.ts'

export type Guard = Awaited<ReturnType<typeof createGuard>>

export type GuardOptions = Readonly<{
  chain: Tracked
  endpoint: Endpoint
  actor: Actor
  name: string
  wards: readonly Actor[]
  policy?: Partial<CourtPolicy>
  startBlock: Readonly<{ number: number; hash: Hash }>
}>

/** Calls of one look that have success make further ones possible; more rounds than this mean that something goes in circles. */
const MOST_ROUNDS = 8
/** Two rounds of asking so far apart are a silence, and not yet a gap. */
const ROUND_MS = 20_000

export async function createGuard(options: GuardOptions) {
  const { chain, endpoint, actor, name, wards, policy = {}, startBlock } = options
  const { parameters, root, surety, separator } = chain
  const own = { sender: actor.address, seed: bytesToHex(keccak256Text(actor.address)) }
  const peer = createFakePeer('operator')
  const db = openStore()
  const contracts = [{ address: root }, { address: surety }]
  const finality = parameters.finalityBlocks
  const core = createTestCore({
    l1: createFakeL1(),
    peers: [peer.peer],
    db,
    overrides: {
      separator,
      parameters,
      sender: actor.address,
      sources: [
        {
          name: 'anvil',
          head: () => readHeader(endpoint, 'latest'),
          follow: (from) => followL1({ endpoint, contracts, startBlock, finality, from }),
        },
      ],
      createCourt: courtOf({
        policy: { ...defaultPolicy(own, parameters), staggerSeconds: 0, ...policy },
        rootContract: root,
        suretyContract: surety,
        readL1: createReadL1(endpoint, { rootContract: root, sender: actor.address }),
      }),
    },
  })
  for (const owner of wards) {
    const { mandate, signature } = await signMandate(chain, owner, { delegate: actor.address })
    core.protection.add({ owner: owner.address, mandate, signature }, 0)
  }

  /** Takes in what L1 and the peer say, as often as a refusal of the peer has to be heard. */
  async function look(rounds = core.facts.verifiedBlock() < core.facts.newestBlock() ? 2 : 1): Promise<void> {
    for (let round = 0; round < rounds; ) {
      core.clock.now += ROUND_MS
      if (!(await core.tick()).isBehind) round++
    }
  }

  /** The L1 block at which it wanted nothing more. */
  let quiet: string | undefined

  function due(timestamp: number) {
    return listRows(db).filter(({ status, intent }) => status === 'queued' && intent.notBefore <= timestamp)
  }

  return {
    ...core,
    name,
    actor,
    look,
    /** What was done, and refusals that the act did not expect: each costs gas for nothing. */
    done: [] as string[],
    refused: [] as string[],

    serve({ number, header, transactions }: ChildBlock): void {
      const { anchor } = header
      peer.serveBytes(number, joinBody({ block: number, anchor, transactions: transactions.map(encodeLoosely) }))
    },
    serveBytes: peer.serveBytes,

    /** The calls that it would send now, unsent; the rows count as done. */
    async draw(): Promise<Sent[]> {
      await look()
      return due(await chain.now()).map(({ id, intent: { data, valueWei, to } }) => {
        saveRow(db, id, { status: 'confirmed' })
        return { from: actor.account, call: { data, valueWei }, ...(to && { to }) }
      })
    },

    /** Looks and sends until it wants nothing more now. */
    async act(): Promise<number> {
      let count = 0
      const tip = (await chain.client.getBlock()).hash
      if (tip === quiet) return 0
      for (let round = 0; round < MOST_ROUNDS; round++) {
        await look()
        const rows = due(await chain.now())
        if (rows.length === 0) {
          quiet = (await chain.client.getBlock()).hash
          return count
        }
        for (const { id, intent } of rows) {
          const { data, valueWei, to, key, doneErrors } = intent
          const kind = key.split(':')[0] as string
          try {
            await chain.send(actor.account, { data, valueWei }, to ?? root)
            saveRow(db, id, { status: 'confirmed' })
            this.done.push(kind)
            count++
          } catch (error) {
            if (!(error instanceof Reverted)) throw error
            saveRow(db, id, { status: 'failed', words: error.message })
            if (!doneErrors?.includes(error.errorName)) this.refused.push(`${kind}: ${error.message}`)
          }
        }
      }
      return count
    },
  }
}

/** A whole watcher on a test root contract on anvil, its outbox replaced by hand: what the court wrote down is sent when the test says so. */

import * as assert from 'uvu/assert'
import { readHeader } from '../../../l1/blocks.ts'
import { connectEndpoint } from '../../../l1/endpoint.ts'
import { followL1 } from '../../../l1/follower.ts'
import { listRows, saveRow } from '../../../l1/outboxStore.ts'
import { bytesToHex, type Hash } from '../../../protocol/bytes.ts'
import { encodeBody } from '../../../protocol/codec.ts'
import { keccak256Text } from '../../../protocol/keccak.ts'
import { type CourtPolicy, defaultPolicy } from '../../../watcher/court/policy.ts'
import { courtOf } from '../../../watcher/driver.ts'
import { createReadL1 } from '../../../watcher/driverReadings.ts'
import type { World } from '../../contracts/rootSuite.ts'
import { passTime, signMandate } from '../../support/moves.ts'
import { type Actor, actors, type ChildBlock, Reverted } from '../../support/rootChain.ts'
import { createFakePeer } from './chain.ts'
import { createTestCore, openStore } from './core.ts'
import { createFakeL1 } from './l1.ts'

/** Enough for every chain of acts in these tests. */
const MOST_ROUNDS = 8

export type SuretyWatcher = Awaited<ReturnType<typeof createSuretyWatcher>>

export async function createSuretyWatcher(
  { chain, url }: World,
  { actor = actors.watcher, policy = {} }: { actor?: Actor; policy?: Partial<CourtPolicy> } = {},
) {
  const { parameters, root, surety, separator, chainId } = chain
  const endpoint = await connectEndpoint({ url, name: 'anvil', expectedChainId: chainId })
  const own = { sender: actor.address, seed: bytesToHex(keccak256Text(actor.address)) }
  const first = await chain.client.getBlock({ blockNumber: 1n })
  const startBlock = { number: 1, hash: first.hash as Hash }
  const peer = createFakePeer('operator')
  const db = openStore()
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
          follow: (from) =>
            followL1({
              endpoint,
              contracts: [{ address: root }, { address: surety }],
              startBlock,
              finality: 1_000,
              from,
            }),
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

  /** Everything that L1 says and the peer gives, taken in; time enough between for a refusal to count as one. */
  async function look(): Promise<void> {
    for (let round = 0; round < 3; ) {
      core.clock.now += 5_000
      if (!(await core.tick()).isBehind) round++
    }
  }

  /** Looks, and sends what the court wants by now. Returns the purposes, and what L1 refused. */
  async function act(): Promise<{ done: string[]; refused: string[] }> {
    await look()
    const { timestamp } = await chain.client.getBlock()
    const done: string[] = []
    const refused: string[] = []
    for (const { id, intent, status } of listRows(db)) {
      if (status !== 'queued' || intent.notBefore > Number(timestamp)) continue
      try {
        const { data, valueWei, to } = intent
        await chain.send(actor.account, { data, valueWei }, to ?? root)
        saveRow(db, id, { status: 'confirmed' })
        done.push(intent.key.split(':')[0] as string)
      } catch (error) {
        if (!(error instanceof Reverted)) throw error
        saveRow(db, id, { status: 'failed', words: error.message })
        refused.push(error.errorName)
      }
    }
    await look()
    return { done, refused }
  }

  /** Acts, a minute of L1 between, until nothing is left to do: throws where L1 refuses something. */
  async function actAll(): Promise<string[]> {
    const all: string[] = []
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const { done, refused } = await act()
      assert.equal(refused, [])
      all.push(...done)
      await passTime(chain, 60)
    }
    return all
  }

  async function protect(owner: Actor): Promise<void> {
    const { mandate, signature } = await signMandate(chain, owner, {})
    core.protection.add({ owner: owner.address, mandate, signature }, 0)
  }

  return {
    ...core,
    peer,
    look,
    serve: ({ number, header, transactions }: ChildBlock) =>
      peer.serveBytes(number, encodeBody({ block: number, anchor: header.anchor, transactions })),
    act,
    actAll,
    protect,
  }
}

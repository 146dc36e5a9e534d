/** The driver on a real database and the real outbox rows, before facts and readings that a test changes by hand. */
import { decodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../../../contracts/artifacts.generated.ts'
import type { listRows } from '../../../l1/outboxStore.ts'
import type { Address, Hash } from '../../../protocol/bytes.ts'
import { openDatabase } from '../../../service/database.ts'
import { createMemoryLog } from '../../../service/log.ts'
import type { FaultCase } from '../../../watcher/court/faults.ts'
import type { L1Readings, World } from '../../../watcher/court/types.ts'
import { courtOf } from '../../../watcher/driver.ts'
import type { Wanted } from '../../../watcher/driverReadings.ts'
import type { DisputeFacts, ExitFacts, Facts, ProtectedAccount, ProtectedOutput } from '../../../watcher/facts.ts'
import { headerOf, policyOf, positionOf, readingsOf, START, worldAt } from './world.ts'

export const ROOT: Address = `0x${'99'.repeat(20)}`
export const SPEND = positionOf(20)

type Scene = {
  world: World
  exits: readonly ExitFacts[]
  disputes: readonly DisputeFacts[]
  disputeProofs: number
  accounts: readonly ProtectedAccount[]
  outputs: readonly ProtectedOutput[]
  revoked: boolean
  readings: L1Readings | Error
  header: ReturnType<typeof headerOf>
  proofs: number
  pages: number
  broken: Hash | undefined
  fault: FaultCase | undefined
  faultProofs: number
}

/** What a test changes by hand is `scene`; `start` starts a driver on the same database, as a restart does. */
export function createScene(changes: Partial<Scene> = {}) {
  const scene: Scene = {
    world: worldAt(10),
    exits: [],
    disputes: [],
    disputeProofs: 0,
    accounts: [],
    outputs: [],
    revoked: false,
    readings: readingsOf(),
    header: headerOf(),
    proofs: 0,
    pages: 0,
    broken: undefined,
    fault: undefined,
    faultProofs: 0,
    ...changes,
  }
  const closed = (facts: ExitFacts) => facts.state === 'settled' || facts.state === 'removed'
  const facts: Facts = {
    l1Now: () => scene.world.now,
    safety: () => scene.world.safety,
    verifiedBlock: () => scene.world.verifiedBlock,
    newestBlock: () => scene.world.newestBlock,
    parameters: scene.world.parameters,
    openExits: () => scene.exits.filter((exit) => !closed(exit)),
    closedExits: (since) => scene.exits.filter((exit) => closed(exit) && exit.events.at(-1)!.at.l1Block >= since),
    queueFrom: () => scene.exits,
    leftPlaces: () => [],
    disputes: (since) =>
      scene.disputes.filter(({ state, events }) => state === 'running' || events.at(-1)!.at.l1Block >= since),
    disputeFacts: (txHash) => {
      if (txHash === scene.broken) throw new Error('no body')
      scene.disputeProofs++
      return scene.disputes.find(({ dispute }) => dispute.txHash === txHash)
    },
    exitFacts: (outputId) => {
      if (outputId === scene.broken) throw new Error('no body')
      const found = scene.exits.find(({ exit }) => exit.outputId === outputId)
      if (found?.output.kind === 'spent') scene.proofs++
      return found
    },
    batches: () => [],
    lockedBatches: () => [],
    batch: () => undefined,
    batchEntries: () => [],
    batchTree: () => undefined,
    entryFact: () => ({ kind: 'empty', shown: { kind: 'nothing' } }),
    spentEntries: () => [],
    entriesNaming: () => [],
    openedEntries: () => [],
    protectedOutputs: (owner, { cursor = -1, limit = 500 } = {}) => {
      scene.pages++
      return scene.outputs.filter((output) => output.owner === owner && output.position > cursor).slice(0, limit)
    },
    protectedAccounts: () => scene.accounts,
    disproved: () => scene.world.disproved,
    fault: () => scene.fault?.fault,
    fraudProof: () => {
      if (!scene.fault?.proof) throw new Error('no body')
      scene.faultProofs++
      return scene.fault.proof
    },
    halt: () => ({ voidFrom: scene.world.voidFrom, lastMove: scene.world.lastMove }),
    revokedAt: () => (scene.revoked ? START : undefined),
    header: (block) => {
      if (block === scene.world.newestBlock) return { ...scene.header, timestamp: scene.world.newestTime }
      return block <= scene.world.verifiedBlock ? scene.header : undefined
    },
    blockState: () => 'verified',
    spentBy: (position) => {
      for (const { output } of scene.exits) {
        if (output.kind !== 'spent') continue
        const { spend, signed, input } = output.evidence
        if (signed.transaction.inputs[input] === position) return spend
      }
      return undefined
    },
  }
  const memory = createMemoryLog()
  const db = openDatabase({ file: ':memory:', applicationId: 7, migrations: [] })
  const raised: string[] = []
  const cleared: string[] = []
  const alarm = {
    raise: (code: string, subject: string) => raised.push(`${code} ${subject}`) > 0,
    clear: (code: string, subject: string) => void cleared.push(`${code} ${subject}`),
    stands: () => false,
    standing: () => [],
  }
  const wanted: Wanted[] = []
  const woken = { count: 0 }
  const start = (policy = policyOf(), suretyContract?: Address) =>
    courtOf({
      policy,
      rootContract: ROOT,
      suretyContract,
      readL1: async (asked) => {
        wanted.push(asked)
        if (scene.readings instanceof Error) throw scene.readings
        return scene.readings
      },
      wake: () => void woken.count++,
    })({ facts, db, alarm, log: memory.log, now: () => 0 })
  return { scene, db, memory, raised, cleared, wanted, woken, start }
}

export function callOf(row: ReturnType<typeof listRows>[number]) {
  return decodeFunctionData({ abi: iLifeboatAbi, data: row.intent.data })
}

/** The driver and invalid blocks: one proof, to the surety or to the root contract, and words where there is none. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeFunctionData } from 'viem'
import { iSuretyAbi } from '../../../contracts/artifacts.generated.ts'
import type { OutboxRow } from '../../../l1/outboxIntent.ts'
import { listRows, saveRow } from '../../../l1/outboxStore.ts'
import { type Address, ZERO_HASH } from '../../../protocol/bytes.ts'
import type { FaultCase } from '../../../watcher/court/faults.ts'
import { callOf, createScene } from './driverWorld.ts'
import { factsOf, hashOf, headerOf, MEP, policyOf, positionOf, START, spentFact, worldAt } from './world.ts'

const test = suite('driver and invalid blocks')

const FAULT: FaultCase = {
  fault: {
    block: 51,
    header: headerOf({ timestamp: START }),
    fault: { rule: 'V1', code: 'NO_OUTPUTS', index: 0, got: 0, want: '1 to 16' },
    position: positionOf(51),
    spends: new Set(),
  },
  proof: {
    rule: 'V1',
    offence: {
      position: positionOf(51),
      signed: { transaction: { inputs: [], outputs: [], memo: ZERO_HASH }, witnesses: new Uint8Array() },
      header: headerOf({ timestamp: START }),
      proof: { witnessesHash: ZERO_HASH, path: [] },
    },
  },
}
const SURETY: Address = `0x${'88'.repeat(20)}`

test('writes one proof of an invalid block, to the surety, and builds it once while L1 stands still', async () => {
  const { db, start, scene, memory } = createScene({ fault: FAULT })
  const court = start(policyOf(), SURETY)
  await court.tick()
  await court.tick()
  await start(policyOf(), SURETY).tick()
  assert.is(scene.faultProofs, 2, 'once in each run')
  const rows = listRows(db)
  assert.is(rows.length, 1)
  const [{ intent }] = rows as [OutboxRow]
  assert.is(intent.to, SURETY)
  assert.is(decodeFunctionData({ abi: iSuretyAbi, data: intent.data }).functionName, 'reportFraud')
  assert.is(intent.onRevert, 'retry')
  assert.equal(intent.deadline, { timestamp: START + MEP })
  scene.world = worldAt(20)
  await court.tick()
  assert.is(scene.faultProofs, 3, 'L1 has moved')
  memory.assertNoErrors()
})

test('a proof that was sent is replaced when L1 moved under it, and left alone otherwise', async () => {
  const { db, start, scene } = createScene({ fault: FAULT })
  const court = start()
  await court.tick()
  const [row] = listRows(db)
  saveRow(db, row!.id, { nonce: 4, status: 'sent' })
  await court.tick()
  assert.is(listRows(db)[0]!.intent.data, row!.intent.data)
  const offence = { ...FAULT.proof!.offence, proof: { witnessesHash: ZERO_HASH, path: [hashOf(3)] } }
  scene.fault = { ...FAULT, proof: { rule: 'V1', offence } }
  scene.world = worldAt(20)
  await court.tick()
  const rows = listRows(db)
  assert.is(rows.length, 1)
  assert.is.not(rows[0]!.intent.data, row!.intent.data)
})

test('tells of a fault without a proof, and judges all else; the telling ends with the fault', async () => {
  const { db, start, scene, raised, cleared } = createScene({
    fault: { fault: FAULT.fault },
    exits: [factsOf(spentFact())],
  })
  const court = start()
  await court.tick()
  assert.equal(
    listRows(db).map((row) => callOf(row).functionName),
    ['challengeStandardExit'],
  )
  assert.ok(raised.includes('FAULT_UNPROVEN 51'))
  assert.ok(raised.includes('INTERNAL_FAULT fault 51'))
  scene.world = worldAt(10, { voidFrom: 51, lastMove: START })
  await court.tick()
  assert.ok(cleared.includes('FAULT_UNPROVEN 51'))
})

test('a proof that L1 refuses is told as such', async () => {
  const { db, start, raised } = createScene({ fault: FAULT })
  const court = start()
  await court.tick()
  const [row] = listRows(db)
  saveRow(db, row!.id, { status: 'failed', words: 'ProofFailed(V1)' })
  await court.tick()
  assert.ok(
    raised.some((alert) => alert.startsWith('FAULT_UNPROVEN prove:51:')),
    raised.join(),
  )
})

test.run()

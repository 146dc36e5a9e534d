/** What mass exits on L1 mean for the operator: from the lock on, no spend of an output that an entry names. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AbiEvent, encodeAbiParameters, encodeEventTopics, getAbiItem } from 'viem'
import { iLifeboatAbi } from '../../contracts/artifacts.generated.ts'
import type { RawLog } from '../../l1/receipts.ts'
import { type Address, bytesToHex, type Hash, type Hex, ZERO_ADDRESS, ZERO_HASH } from '../../protocol/bytes.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { type Entry, encodeEntries, formatOf } from '../../protocol/massExit.ts'
import { DEPOSIT_INDEX, encodePosition } from '../../protocol/position.ts'
import { alice, bob, carol, codeOf, createWorld, ETH, logs, pay, ROOT, TOKEN, type World } from './fixture.ts'

const test = suite<{ world: World }>('operator and mass exits')

test.before.each((context) => {
  context.world = createWorld()
})
test.after.each(({ world }) => world.close())

const BATCH = bytesToHex(keccak256Text('batch'))
const OTHER = bytesToHex(keccak256Text('other batch'))

function logOf(eventName: 'BatchStarted' | 'BatchLocked' | 'BatchDissolved', args: Record<string, unknown>): RawLog {
  const event = getAbiItem({ abi: iLifeboatAbi, name: eventName }) as AbiEvent
  const rest = event.inputs.filter(({ indexed }) => !indexed)
  return {
    address: ROOT,
    topics: encodeEventTopics({ abi: [event], eventName, args }) as Hash[],
    data: encodeAbiParameters(rest, rest.map(({ name }) => args[name as string]) as never) as Hex,
    logIndex: 0,
    transactionIndex: 0,
    transactionHash: ZERO_HASH,
  }
}

function started(entries: readonly Entry[], batchId: Hash = BATCH, token: Address = ETH): RawLog {
  const format = formatOf(entries)
  return logOf('BatchStarted', {
    batchId,
    batch: {
      root: ZERO_HASH,
      count: entries.length,
      token,
      total: entries.reduce((sum, { amount }) => sum + amount, 0n),
      last: BigInt(entries.at(-1)?.position ?? 0),
      madeAt: 0,
      startedAt: 1,
      coordinator: carol.address,
      bond: 1n,
    },
    format: { ...format, base: BigInt(format.base) },
    entries: bytesToHex(encodeEntries(entries, format)),
  })
}

function locked(world: World, batchId: Hash = BATCH): RawLog {
  return logOf('BatchLocked', {
    batchId,
    item: {
      outputId: batchId,
      position: 1n,
      owner: ZERO_ADDRESS,
      token: ETH,
      amount: 1n,
      young: false,
      seq: 0,
      startedAt: 1,
      exitableAt: 2,
      lockedAt: world.l1.tip + 1,
      payer: carol.address,
      bond: 1n,
      disputed: ZERO_HASH,
    },
  })
}

const spend = (position: number, owner = alice, amount = 5n, token = ETH) =>
  pay({ inputs: [position], outputs: [[bob, amount, token]], signers: [owner] })
const tryTo = (world: World, ...args: Parameters<typeof spend>) => codeOf(world.admit(spend(...args))[0])

test('takes no spend of a named output once the batch is locked, whatever the anchor', ({ world }) => {
  const position = world.deposit(alice, 5n)
  world.see(world.l1.mine(1, [started([{ position, amount: 5n }])]))
  world.see(world.l1.mine(1, [locked(world)]))
  assert.is(tryTo(world, position), 'INPUT_EXITING')
  assert.is(world.core.views.outputs(alice.address, {}).outputs[0]?.state, 'exiting')
  world.restart()
  assert.is(tryTo(world, position), 'INPUT_EXITING')
  world.memory.assertNoErrors()
})

test('a batch that is not locked, or was dissolved, bars nobody from spending', ({ world }) => {
  const position = world.deposit(alice, 5n)
  world.see(world.l1.mine(1, [started([{ position, amount: 5n }])]))
  world.see(world.l1.mine(1, [logOf('BatchDissolved', { batchId: BATCH, index: 0 })]))
  assert.is(tryTo(world, position), 'ACCEPTED')
})

test('an entry off by one wei or of another token locks nothing', ({ world }) => {
  const [ether, tokens] = [world.deposit(alice, 5n), world.deposit(alice, 7n, TOKEN)]
  const entries = [
    { position: ether, amount: 4n },
    { position: tokens, amount: 7n },
  ]
  world.see(world.l1.mine(1, [started(entries)]))
  world.see(world.l1.mine(1, [locked(world)]))
  assert.is(tryTo(world, ether), 'ACCEPTED')
  assert.is(tryTo(world, tokens, alice, 7n, TOKEN), 'ACCEPTED')
})

test('a deposit that comes after the lock is named by no entry', ({ world }) => {
  const position = encodePosition({ block: 0, index: DEPOSIT_INDEX, output: 0 })
  world.see(world.l1.mine(1, [started([{ position, amount: 5n }])]))
  world.see(world.l1.mine(1, [locked(world)]))
  assert.is(world.deposit(alice, 5n), position)
  assert.is(tryTo(world, position), 'ACCEPTED')
})

test('an L1 reorg takes the lock back, and the batch with it', ({ world }) => {
  const position = world.deposit(alice, 5n)
  const before = world.l1.tip
  world.see(world.l1.mine(1, [started([{ position, amount: 5n }])]))
  const unlocked = world.l1.tip
  world.see(world.l1.mine(1, [locked(world)]))
  world.see(world.l1.reorg(unlocked))
  const again = locked(world)
  world.see(world.l1.mine(1, [again]))
  assert.is(tryTo(world, position), 'INPUT_EXITING', 'the start is still there')
  world.see(world.l1.reorg(before))
  assert.is(tryTo(world, position), 'ACCEPTED')
})

test('the earliest lock counts: of two batches, and of an exit that started later', ({ world }) => {
  const position = world.deposit(alice, 5n)
  const entries = [{ position, amount: 5n }]
  world.see(world.l1.mine(1, [started(entries), started(entries, OTHER)]))
  world.see(world.l1.mine(1, [locked(world)]))
  const first = world.l1.tip
  world.see(world.l1.mine(1, [locked(world, OTHER)]))
  world.see(world.l1.mine(1, [logs.exitStarted(position, alice.address, world.l1.tip + 1, 5n)]))
  assert.is(world.core.ledger.find(position)?.lockedAt, first)
})

test('a payment accepted before the lock is in a block that V6 allows', ({ world }) => {
  const position = world.deposit(alice, 5n)
  world.accept(spend(position))
  world.see(world.l1.mine(1, [started([{ position, amount: 5n }])]))
  world.see(world.l1.mine(1, [locked(world)]))
  const lock = world.l1.tip
  for (let round = 0; round < 4; round++) {
    world.clock.ms += 4_000
    world.see(world.l1.mine(1))
  }
  const [commitment] = world.commitments(1, 1)
  assert.is(commitment?.txCount, 1)
  assert.ok((commitment?.anchor ?? lock) < lock)
  world.memory.assertNoErrors()
})

test.run()

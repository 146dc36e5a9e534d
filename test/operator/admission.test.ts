import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createAdmission } from '../../operator/admission.ts'
import { encodeTransaction } from '../../protocol/codec.ts'
import { domainSeparator } from '../../protocol/eip712.ts'
import { retryable } from '../../protocol/errors.ts'
import { decodePosition } from '../../protocol/position.ts'
import { prepareBatch } from '../../signatures/jobs.ts'
import type { SignaturePool } from '../../signatures/pool.ts'
import { alice, bob, createWorld, DOMAIN, pay, type World } from './fixture.ts'

const test = suite('operator pipeline')

type Gate = Readonly<{ pool: SignaturePool; sizes: number[]; release(): void; fail(error: Error): void }>

/** A pool that answers when it is told to, in this thread. */
function createGate(isOpen: boolean): Gate {
  const sizes: number[] = []
  const waiting: { go(): void; fail(error: Error): void }[] = []
  return {
    sizes,
    release: () => {
      for (const { go } of waiting.splice(0)) go()
    },
    fail: (error) => {
      for (const { fail } of waiting.splice(0)) fail(error)
    },
    pool: {
      prepare: (transactions, separator) => {
        sizes.push(transactions.length)
        const work = () =>
          transactions.flatMap((bytes) => prepareBatch({ bytes, ends: Uint32Array.of(bytes.length), separator }))
        if (isOpen) return Promise.resolve(work())
        return new Promise((resolve, reject) => {
          waiting.push({ go: () => resolve(work()), fail: reject })
        })
      },
      preparePacked: () => Promise.reject(new Error('not used')),
      recover: () => Promise.reject(new Error('not used')),
      ready: async () => undefined,
      backlog: () => 0,
      close: async () => undefined,
    },
  }
}

function admissionOf(world: World, pool: SignaturePool, queueLimit = 1_000) {
  const commits: number[] = []
  const admission = createAdmission({
    pool,
    threads: 1,
    separator: domainSeparator(DOMAIN),
    store: world.core.store,
    admit: world.core.admit,
    problems: world.core.problems,
    log: world.memory.log,
    queueLimit,
    onCommit: (accepted) => commits.push(accepted),
  })
  return { admission, commits }
}

function payments(world: World, count: number): Uint8Array[] {
  const inputs = Array.from({ length: count }, () => world.deposit(alice, 1n))
  return inputs.map((input) => encodeTransaction(pay({ inputs: [input], outputs: [[bob, 1n]], signers: [alice] })))
}

test('answers in order after one commit for all that came together', async () => {
  const world = createWorld({ maxBlockTxs: 64 })
  const { admission, commits } = admissionOf(world, createGate(true).pool)
  const bodies = payments(world, 5)
  const [first, second] = await Promise.all([admission.submit(bodies.slice(0, 2)), admission.submit(bodies.slice(2))])
  const indices = [...first, ...second].map((one) =>
    one.status === 'accepted' ? decodePosition(one.position).index : -1,
  )
  assert.equal(indices, [0, 1, 2, 3, 4])
  assert.equal(commits, [5])
  world.close()
})

test('refuses a malformed transaction in its place and takes its neighbours', async () => {
  const world = createWorld()
  const { admission } = admissionOf(world, createGate(true).pool)
  const [good, better] = payments(world, 2) as [Uint8Array, Uint8Array]
  const broken = good.slice(0, 60)
  const flagged = good.slice()
  flagged[1] = 9
  const results = await admission.submit([good, broken, flagged, better])
  assert.equal(
    results.map((one) => (one.status === 'accepted' ? 'accepted' : one.error.code)),
    ['accepted', 'TRANSACTION_MALFORMED', 'TRANSACTION_MALFORMED', 'accepted'],
  )
  world.close()
})

test('refuses at once when too much is waiting, and takes it later', async () => {
  const world = createWorld()
  const gate = createGate(false)
  const { admission } = admissionOf(world, gate.pool, 2)
  const bodies = payments(world, 3)
  const running = admission.submit(bodies.slice(0, 2))
  assert.throws(() => admission.submit(bodies.slice(2)), /too many transactions are waiting/)
  await new Promise((resolve) => setImmediate(resolve))
  gate.release()
  assert.is((await running).length, 2)
  const last = admission.submit(bodies.slice(2))
  await new Promise((resolve) => setImmediate(resolve))
  gate.release()
  assert.is((await last)[0]?.status, 'accepted')
  world.close()
})

test('answers with a retryable error when a signature worker dies, and goes on', async () => {
  const world = createWorld()
  const gate = createGate(false)
  const { admission } = admissionOf(world, gate.pool)
  const [body] = payments(world, 1) as [Uint8Array]
  const lost = admission.submit([body])
  await new Promise((resolve) => setImmediate(resolve))
  gate.fail(retryable('SIGNATURE_WORKER_DIED', 'a signature worker died'))
  const [result] = await lost
  assert.is(result?.status === 'rejected' && result.error.code, 'SIGNATURE_WORKER_DIED')
  const again = admission.submit([body])
  await new Promise((resolve) => setImmediate(resolve))
  gate.release()
  assert.is((await again)[0]?.status, 'accepted')
  world.close()
})

test('promises nothing while a problem stands that may keep the block from L1', async () => {
  const world = createWorld()
  const { admission } = admissionOf(world, createGate(true).pool)
  const [body] = payments(world, 1) as [Uint8Array]
  world.core.problems.raise('L1_STALE', 'L1 cannot be followed')
  const [refused] = await admission.submit([body])
  assert.is(refused?.status === 'rejected' && refused.error.code, 'L1_STALE')
  assert.is(refused?.status === 'rejected' && refused.error.retryable, true)
  world.core.problems.clear('L1_STALE')
  world.core.problems.raise('HALTED', 'the chain has ended')
  const [ended] = await admission.submit([body])
  assert.is(ended?.status === 'rejected' && ended.error.code, 'HALTED')
  assert.is(ended?.status === 'rejected' && ended.error.retryable, undefined)
  world.core.problems.clear('HALTED')
  assert.is((await admission.submit([body]))[0]?.status, 'accepted')
  world.close()
})

test('answers what is under way before it closes, and refuses what comes later', async () => {
  const world = createWorld()
  const gate = createGate(false)
  const { admission } = admissionOf(world, gate.pool)
  const [body, late] = payments(world, 2) as [Uint8Array, Uint8Array]
  const running = admission.submit([body])
  await new Promise((resolve) => setImmediate(resolve))
  const closing = admission.close()
  assert.throws(() => admission.submit([late]), /is stopping/)
  gate.release()
  await closing
  assert.is((await running)[0]?.status, 'accepted')
  world.close()
})

test.run()

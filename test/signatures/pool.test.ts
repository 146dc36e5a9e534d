/** The worker pool: order, limits, and workers that die. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isLifeboatError, type LifeboatError } from '../../protocol/errors.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { createSignaturePool, type SignaturePoolOptions } from '../../signatures/pool.ts'
import { addressOfKey, signDigest } from '../../signatures/sign.ts'

const pools = suite('signature pool')

const DYING = new URL('./dyingWorker.ts', import.meta.url)
const keys = Array.from({ length: 5 }, (_, i) => keccak256Text(`key ${i}`))

/** Signatures by the keys in turn; those at `forged` are zero. */
function batchOf(count: number, forged: readonly number[] = []) {
  const digests = new Uint8Array(count * 32)
  const signatures = new Uint8Array(count * 64)
  for (let i = 0; i < count; i++) {
    const digest = keccak256Text(`digest ${i}`)
    digest[0] = 0
    digests.set(digest, i * 32)
    if (!forged.includes(i)) signatures.set(signDigest(digest, keys[i % 5]!), i * 64)
  }
  const signers = Array.from({ length: count }, (_, i) => (forged.includes(i) ? undefined : addressOfKey(keys[i % 5]!)))
  return { digests, signatures, signers }
}

async function using(
  options: SignaturePoolOptions,
  run: (pool: ReturnType<typeof createSignaturePool>) => Promise<void>,
) {
  const pool = createSignaturePool(options)
  try {
    await run(pool)
  } finally {
    await pool.close()
  }
}

async function failure(promise: Promise<unknown>): Promise<LifeboatError> {
  const error: unknown = await promise.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  )
  assert.ok(isLifeboatError(error), String(error))
  return error
}

pools('signers come back in order over several workers, forged ones as nobody', async () => {
  await using({ threads: 2, smallestPart: 16 }, async (pool) => {
    const { signers, ...batch } = batchOf(83, [0, 41, 82])
    assert.equal(await pool.recover(batch), signers)
    assert.equal(await pool.recover(batchOf(0)), [])
    assert.is(pool.backlog(), 0)
  })
})

pools('takes Buffers, leaves them as they were, and does not take their memory', async () => {
  await using({ threads: 1 }, async (pool) => {
    const { digests, signatures, signers } = batchOf(3)
    const batch = { digests: Buffer.from(digests), signatures: Buffer.from(signatures) }
    assert.equal(await pool.recover(batch), signers)
    assert.equal(batch, { digests: Buffer.from(digests), signatures: Buffer.from(signatures) })
  })
})

pools('a worker that dies fails its batch retryably, and the next batch finds a new worker', async () => {
  await using({ threads: 1, worker: DYING }, async (pool) => {
    const { signers, ...good } = batchOf(2)
    const deadly = { digests: new Uint8Array(32).fill(0xdd), signatures: new Uint8Array(64) }
    for (let round = 0; round < 2; round++) {
      const error = await failure(pool.recover(deadly))
      assert.equal([error.code, error.family], ['SIGNATURE_WORKER_DIED', 'retryable'])
      assert.match(String(error.details.got), 'exit code 7')
      assert.equal(await pool.recover(good), signers)
    }
    assert.is(pool.backlog(), 0)
  })
})

pools('a worker that cannot start fails its batches instead of hanging them', async () => {
  await using({ threads: 1, worker: new URL('./nowhere.ts', import.meta.url) }, async (pool) => {
    assert.is((await failure(pool.recover(batchOf(1)))).code, 'SIGNATURE_WORKER_DIED')
  })
})

pools('a full pool says so at once, and takes work again when it has drained', async () => {
  await using({ threads: 1, maxBacklog: 10 }, async (pool) => {
    const { signers, ...batch } = batchOf(8)
    const first = pool.recover(batch)
    assert.is(pool.backlog(), 8)
    const error = await failure(pool.recover(batch))
    assert.equal([error.code, error.family, error.details.got], ['SIGNATURE_POOL_FULL', 'retryable', 16])
    assert.equal(await first, signers)
    assert.is((await pool.recover(batchOf(20))).length, 20)
  })
})

pools('closing fails what is unanswered instead of leaving it open', async () => {
  const pool = createSignaturePool({ threads: 1 })
  const unanswered = failure(pool.recover(batchOf(4)))
  await pool.close()
  assert.is((await unanswered).code, 'SIGNATURE_WORKER_DIED')
})

pools('a batch whose parts do not match is our own mistake', async () => {
  await using({ threads: 1 }, async (pool) => {
    const batch = { digests: new Uint8Array(64), signatures: new Uint8Array(64) }
    assert.is((await failure(pool.recover(batch))).family, 'bug')
  })
})

pools('refuses an impossible number of threads', () => {
  for (const threads of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => createSignaturePool({ threads }), /impossible number of signature threads/)
  }
})

pools.run()

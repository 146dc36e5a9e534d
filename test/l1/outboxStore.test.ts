/** What an outbox writes down of its transactions (docs/spec.md 12.2). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Attempt, attemptsOf, enqueue, saveAttempt } from '../../l1/outboxStore.ts'
import type { Address, Hash } from '../../protocol/bytes.ts'
import { GWEI, intentFor, openMemoryDatabase } from './outboxFixture.ts'

const test = suite('outbox store')
const contract: Address = `0x${'c0'.repeat(20)}`
const SENT = { status: 'sent', nonce: 7 } as const

function attemptOf(rowId: number, hash: string, more: Partial<Attempt> = {}): Attempt {
  return {
    hash: `0x${hash.repeat(64)}` as Hash,
    rowId,
    nonce: 7,
    kind: 'cancel',
    raw: `0x${hash}${hash}`,
    gas: 21_000n,
    maxFeePerGas: GWEI,
    priorityFeePerGas: 1n,
    valueWei: 0n,
    sentBlock: 10,
    ...more,
  }
}

function open() {
  const db = openMemoryDatabase()
  const rowOf = (key: string) => enqueue(db, intentFor(contract, key, '0x00')).row.id
  return { db, rows: [rowOf('one'), rowOf('other')] as const }
}

const hashesOf = (attempts: readonly Attempt[]) => attempts.map(({ hash }) => hash[2])

test('the same transaction, signed again after a reorg, is the newest attempt of its row', () => {
  const { db, rows } = open()
  const [row] = rows
  saveAttempt(db, attemptOf(row, 'a'), SENT)
  saveAttempt(db, attemptOf(row, 'b'), SENT)
  saveAttempt(db, attemptOf(row, 'a', { sentBlock: 20 }), SENT)
  const attempts = attemptsOf(db, row)
  assert.equal(hashesOf(attempts), ['b', 'a'])
  assert.is(attempts.at(-1)?.sentBlock, 20)
})

test('a nonce that is given up in the very same way as another row did before is whoever’s gives it up now', () => {
  const { db, rows } = open()
  const [row, other] = rows
  saveAttempt(db, attemptOf(row, 'a'), { ...SENT, final: true })
  saveAttempt(db, attemptOf(other, 'a', { sentBlock: 20 }), SENT)
  assert.equal(hashesOf(attemptsOf(db, row)), [])
  assert.equal(
    attemptsOf(db, other).map(({ raw, sentBlock }) => [raw, sentBlock]),
    [['0xaa', 20]],
  )
})

test.run()

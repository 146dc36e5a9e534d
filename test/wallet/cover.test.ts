/** Cover by watchers over HTTP: one that takes no mandates is told of, and keeps no other from covering. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { SignedMandate } from '../../l1/rootCalls.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { keccak256Text } from '../../protocol/keccak.ts'
import { createAccount } from '../../wallet/account.ts'
import type { WalletContext } from '../../wallet/context.ts'
import { type CoverDesk, cover, createCoverDesk } from '../../wallet/cover.ts'

const test = suite('wallet: cover')
const account = createAccount(keccak256Text('an owner'))
const watcher = createAccount(keccak256Text('a watcher')).address
const REFUSED = {
  code: 'MANDATES_NOT_TAKEN',
  message: 'this watcher starts no mass exits: a mandate here would protect nobody',
  got: 'a budget of 0 for its own mass exits',
  want: 'a watcher with a key, and a massExitBudget above 0',
}

/** A watcher that answers every call with this; what it was asked. */
async function serve(answer: unknown) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const desk = createCoverDesk({ url: `http://127.0.0.1:${port}`, timeoutMs: 5_000 })
  return { asked, desk, close: () => new Promise((resolve) => server.close(resolve)) }
}

/** A wallet that has given nobody a mandate, and remembers those that it gives. */
function createWallet() {
  const given: SignedMandate[] = []
  const wallet = {
    account,
    separator: new Uint8Array(32),
    root: { now: async () => ({ timestamp: 1_000 }), revokedAt: async () => 0 },
    store: {
      mandates: () => given,
      mandateHolders: () => [],
      saveMandate: (signed: SignedMandate) => void given.push(signed),
      saveMandateHolder: () => undefined,
    },
  } as unknown as WalletContext
  return { wallet, given }
}

test('signs nothing for a watcher that takes no mandates, says why, and goes on to the next', async () => {
  const idle = await serve({ delegate: watcher, mandates: [], refused: REFUSED })
  const { wallet, given } = createWallet()
  const held: SignedMandate[] = []
  const other: CoverDesk = {
    url: 'http://other',
    delegate: async () => watcher,
    handIn: async (signed) => void held.push(signed),
    mandatesOf: async () => held,
  }
  const { covered, failed } = await cover(wallet, [idle.desk, other])
  await idle.close()
  assert.equal(
    covered.map(({ url, how }) => [url, how]),
    [['http://other', 'given']],
  )
  assert.equal([given.length, held.length], [1, 1])
  assert.equal(idle.asked, [`GET /v1/mandates/${account.address}`])
  assert.is(failed.length, 1)
  assert.match(failed[0]!.reason, 'a mandate here would protect nobody')
})

test('a watcher that refuses only when the mandate comes is no cover either, and what it got and wants is told', async () => {
  const late = await serve({ delegate: watcher, mandates: [], results: [{ error: REFUSED }] })
  const { wallet, given } = createWallet()
  const { covered, failed } = await cover(wallet, [late.desk])
  assert.equal([covered.length, failed.length], [0, 1])
  try {
    await late.desk.handIn(given[0]!)
    assert.unreachable()
  } catch (error) {
    assert.ok(isLifeboatError(error))
    const { got, want, reason } = error.details
    assert.equal([error.code, got, want, reason], ['MANDATE_REFUSED', REFUSED.got, REFUSED.want, REFUSED.code])
  } finally {
    await late.close()
  }
})

test.run()

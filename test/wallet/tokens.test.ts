/** Tokens by symbol: read once, pinned for ever, shown with their address. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Address } from '../../protocol/bytes.ts'
import { isLifeboatError, retryable } from '../../protocol/errors.ts'
import { openTokenBook, parseTokenAmount, type ReadTokenMetadata, type Token } from '../../wallet/tokens.ts'

const tokens = suite('tokens')
const GOLD: Address = `0x${'a1'.repeat(20)}`
const FAKE: Address = `0x${'a2'.repeat(20)}`

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    if (isLifeboatError(error)) return error.code
    throw error
  }
  return 'no error'
}

function scene(readMetadata: ReadTokenMetadata = async () => ({ symbol: 'GOLD', decimals: 6 })) {
  const path = join(mkdtempSync(join(tmpdir(), 'lifeboat-tokens-')), 'tokens.json')
  const shown: Token[] = []
  const open = (read = readMetadata) =>
    openTokenBook({ path, chainId: 1, readMetadata: read, onFirstUse: (token) => shown.push(token) })
  return { path, shown, open }
}

tokens('knows ETH and refuses any other name that nobody pinned', async () => {
  const { open } = scene()
  assert.is((await open().resolve('eth')).decimals, 18)
  assert.is(await codeOf(() => open().resolve('GOLD')), 'TOKEN_UNKNOWN')
})

tokens('shows a token once, when its address is first used, and knows its symbol from then on', async () => {
  const { open, shown } = scene()
  await open().resolve(GOLD)
  const again = open(async () => Promise.reject(new Error('must not be asked')))
  assert.is((await again.resolve('gold')).address, GOLD)
  assert.equal(
    shown.map(({ address }) => address),
    [GOLD],
  )
  assert.is(again.describe(GOLD, 1_500_000n), '1.5 GOLD')
  assert.is(again.describe(FAKE, 7n), `7 units of ${FAKE}`)
})

tokens('a second token cannot take a symbol that is pinned, nor call itself ETH', async () => {
  const { open } = scene()
  const book = open()
  await book.resolve(GOLD)
  assert.is(await codeOf(() => book.resolve(FAKE)), 'TOKEN_SYMBOL_TAKEN')
  assert.is((await book.pin(FAKE, 'GOLD2')).symbol, 'GOLD2')
  const ether = scene(async () => ({ symbol: 'eth', decimals: 18 })).open()
  assert.is(await codeOf(() => ether.resolve(FAKE)), 'TOKEN_SYMBOL_TAKEN')
})

tokens('refuses a token whose name could deceive or that has absurd decimals', async () => {
  for (const metadata of [
    { symbol: 'GO LD', decimals: 6 },
    { symbol: '\u0405OL', decimals: 6 },
    { symbol: '', decimals: 6 },
    { symbol: 'X', decimals: 200 },
  ]) {
    assert.is(
      await codeOf(() =>
        scene(async () => metadata)
          .open()
          .resolve(GOLD),
      ),
      'TOKEN_UNREADABLE',
    )
  }
})

tokens('tells an address without a token from an endpoint that is down', async () => {
  assert.is(
    await codeOf(() =>
      scene(async () => Promise.reject(new Error('no code')))
        .open()
        .resolve(GOLD),
    ),
    'TOKEN_UNREADABLE',
  )
  const down = scene(async () => Promise.reject(retryable('ENDPOINT_TIMEOUT', 'slow'))).open()
  assert.is(await codeOf(() => down.resolve(GOLD)), 'ENDPOINT_TIMEOUT')
})

tokens('refuses a damaged file, and one of another chain', async () => {
  const { path, open } = scene()
  writeFileSync(path, '{}')
  assert.is(await codeOf(open), 'TOKEN_FILE_INVALID')
  writeFileSync(path, JSON.stringify({ version: 1, chainId: 2, tokens: [] }))
  assert.is(await codeOf(open), 'TOKEN_FILE_INVALID')
})

tokens('counts in the decimals of the token', async () => {
  const gold = await scene().open().resolve(GOLD)
  assert.is(parseTokenAmount('1.5', gold), 1_500_000n)
  assert.is(await codeOf(() => parseTokenAmount('0', gold)), 'AMOUNT_ZERO')
  assert.is(await codeOf(() => parseTokenAmount('0.0000001', gold)), 'AMOUNT_TOO_PRECISE')
})

tokens.run()

/** Coin selection: value preserved, at most 16 inputs, nothing held, the same answer every time. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { type Coin, type CoinHold, chooseMerge, selectCoins, sumOf } from '../../wallet/coins.ts'

const coins = suite('coin selection')
const ETH = ZERO_ADDRESS
const TST = `0x${'11'.repeat(20)}` as const

const coin = (position: number, amount: bigint, token = ETH as Coin['token'], held?: CoinHold): Coin => ({
  position,
  token,
  amount,
  ...(held ? { held } : {}),
})
const wish = (amount: bigint, token: Coin['token'] = ETH) => new Map([[token, amount]])
const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (isLifeboatError(error)) return error.code
    throw error
  }
  return 'no error'
}

const anyCoins = fc
  .uniqueArray(
    fc.record({
      position: fc.nat({ max: 2 ** 40 }),
      token: fc.constantFrom(ETH, TST),
      amount: fc.bigInt({ min: 1n, max: 1000n }),
      held: fc.option(fc.constantFrom<CoinHold>('exiting', 'offered', 'sent'), { nil: undefined, freq: 4 }),
    }),
    { selector: ({ position }) => position, maxLength: 60 },
  )
  .map((all) => all.map(({ position, amount, token, held }) => coin(position, amount, token, held)))

coins('covers the wish to the unit, from free coins only, or says exactly why not', () => {
  const property = fc.property(
    anyCoins,
    fc.bigInt({ min: 1n, max: 5000n }),
    fc.bigInt({ min: 0n, max: 200n }),
    (all, eth, tst) => {
      const wanted = new Map([
        [ETH, eth],
        [TST, tst],
      ])
      const free = all.filter(({ held }) => held === undefined)
      const covered = [...wanted].every(([token, amount]) => sumOf(free, token) >= amount)
      const code = codeOf(() => selectCoins(all, wanted))
      if (!covered) return assert.is(code, 'BALANCE_TOO_LOW')
      if (code === 'COINS_FRAGMENTED') return assert.ok(free.length > 16)
      const { coins: chosen, change } = selectCoins(all, wanted)
      assert.ok(chosen.length >= 1 && chosen.length <= 16)
      assert.ok(chosen.every((one, i) => i === 0 || one.position > chosen[i - 1]!.position))
      assert.ok(chosen.every((one) => one.held === undefined && all.includes(one)))
      for (const token of [ETH, TST] as const) {
        assert.is(sumOf(chosen, token), (wanted.get(token) ?? 0n) + (change.get(token) ?? 0n))
        assert.ok((change.get(token) ?? 1n) > 0n)
      }
      assert.equal(selectCoins([...all].reverse(), wanted), { coins: chosen, change })
    },
  )
  fc.assert(property, { numRuns: 400 })
})

coins('merging until it fits always ends, and then pays', () => {
  const property = fc.property(
    fc.array(fc.bigInt({ min: 1n, max: 50n }), { minLength: 17, maxLength: 80 }),
    (amounts) => {
      let all = amounts.map((amount, i) => coin(i, amount))
      const total = sumOf(all, ETH)
      let next = 1000
      for (let round = 0; codeOf(() => selectCoins(all, wish(total))) === 'COINS_FRAGMENTED'; round++) {
        assert.ok(round < 10)
        const merged = chooseMerge(all, ETH)!
        all = [...all.filter((one) => !merged.includes(one)), coin(next++, sumOf(merged, ETH))]
      }
      assert.is(selectCoins(all, wish(total)).change.size, 0)
    },
  )
  fc.assert(property, { numRuns: 100 })
})

coins('takes the exact coin rather than a larger one', () => {
  const all = [coin(1, 100n), coin(2, 7n), coin(3, 5n)]
  assert.equal(selectCoins(all, wish(7n)), { coins: [all[1]], change: new Map() })
})

coins('takes the smallest single coin that suffices', () => {
  const all = [coin(1, 100n), coin(2, 40n), coin(3, 30n)]
  assert.equal(selectCoins(all, wish(31n)).coins, [all[1]])
})

coins('takes the older of two equal coins', () => {
  assert.equal(selectCoins([coin(9, 5n), coin(4, 5n)], wish(5n)).coins, [coin(4, 5n)])
})

coins('sweeps the smallest coins along once there are many', () => {
  const all = Array.from({ length: 30 }, (_, i) => coin(i, BigInt(i + 1)))
  const { coins: chosen, change } = selectCoins(all, wish(30n))
  assert.is(chosen.length, 16)
  assert.is(change.get(ETH), sumOf(chosen, ETH) - 30n)
  assert.equal(chosen.slice(0, 15), all.slice(0, 15))
})

coins('never takes an output whose exit runs, even when it alone would do', () => {
  const all = [coin(1, 100n, ETH, 'exiting'), coin(2, 3n)]
  assert.is(
    codeOf(() => selectCoins(all, wish(50n))),
    'BALANCE_TOO_LOW',
  )
  assert.is(
    codeOf(() => selectCoins(all, wish(3n), { include: [all[0]!] })),
    'COIN_EXITING',
  )
})

coins('a replacement spends an input of what it replaces, although that one is held', () => {
  const held = coin(1, 4n, ETH, 'sent')
  const { coins: chosen } = selectCoins([held, coin(2, 50n)], wish(10n), { include: [held] })
  assert.equal(
    chosen.map(({ position }) => position),
    [1, 2],
  )
})

coins('takes a fee in another token from coins of that token', () => {
  const wanted = new Map([
    [TST, 5n],
    [ETH, 1n],
  ])
  const { coins: chosen, change } = selectCoins([coin(1, 2n), coin(2, 9n, TST)], wanted)
  assert.is(chosen.length, 2)
  assert.equal(
    [...change],
    [
      [ETH, 1n],
      [TST, 4n],
    ],
  )
})

coins.run()

/** Swaps: both sides or neither, and nothing in a file can be changed without being noticed by the side it would rob. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isLifeboatError } from '../../protocol/errors.ts'
import { listCoins, spendableCoins } from '../../wallet/balance.ts'
import { pay } from '../../wallet/pay.ts'
import { acceptOffer, cancelSwap, completeSwap, makeOffer, swapEffects } from '../../wallet/swap.ts'
import { formatSwapFile, parseSwapFile, swapId } from '../../wallet/swapFile.ts'
import { createFakeWorld, ETH, OPERATOR, TST } from './fakeWorld.ts'

const swaps = suite('swaps')

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    if (isLifeboatError(error)) return error.code
    throw error
  }
  return 'no error'
}

/** Alice gives 30 TST for Bob's 5 ETH; the fee of 1 is hers. */
async function scene() {
  const world = createFakeWorld({ fee: 1n })
  const [alice, bob, mallory] = [world.wallet(1), world.wallet(2), world.wallet(3)]
  world.deposit(alice.account.address, TST, 50n)
  world.deposit(alice.account.address, ETH, 3n)
  world.deposit(bob.account.address, ETH, 8n)
  world.deposit(mallory.account.address, ETH, 100n)
  const terms = { give: { token: TST, amount: 30n }, want: { token: ETH, amount: 5n } }
  const offer = formatSwapFile(await makeOffer(alice, terms))
  return { world, alice, bob, mallory, offer, terms }
}

async function owned(wallet: Awaited<ReturnType<typeof scene>>['alice']) {
  const sums: Record<string, bigint> = { ETH: 0n, TST: 0n }
  for (const { token, amount } of await listCoins(wallet)) sums[token === ETH ? 'ETH' : 'TST']! += amount
  return sums
}

/** The file with one value changed, wherever `path` leads. */
function tampered(file: string, path: readonly (string | number)[], value: unknown): string {
  const json = JSON.parse(file)
  let at = json
  for (const key of path.slice(0, -1)) at = at[key]
  at[path.at(-1)!] = value
  return JSON.stringify(json)
}

swaps('moves both sides at once, to the unit, the fee paid by the maker', async () => {
  const { alice, bob, offer } = await scene()
  assert.equal(swapEffects(parseSwapFile(offer, bob.domain) as never), {
    maker: {
      gives: [
        { token: TST, amount: 30n },
        { to: OPERATOR, token: ETH, amount: 1n },
      ],
      gets: { token: ETH, amount: 5n },
    },
    taker: { gives: [{ token: ETH, amount: 5n }], gets: { token: TST, amount: 30n } },
  })
  const accepted = formatSwapFile(await acceptOffer(bob, offer))
  await completeSwap(alice, accepted)
  assert.equal(await owned(alice), { ETH: 7n, TST: 20n })
  assert.equal(await owned(bob), { ETH: 3n, TST: 30n })
})

swaps('works between two accounts that share one data directory', async () => {
  const { world, alice, offer } = await scene()
  const bob = world.wallet(2, { store: alice.store })
  const accepted = formatSwapFile(await acceptOffer(bob, offer))
  await completeSwap(alice, accepted)
  assert.equal(await owned(bob), { ETH: 3n, TST: 30n })
})

swaps('holds the inputs of an open offer back from payments, and frees them on cancelling', async () => {
  const { alice, bob, offer } = await scene()
  assert.is(spendableCoins(await listCoins(alice)).length, 0)
  assert.is(await codeOf(() => pay(alice, { to: bob.account.address, token: TST, amount: 1n })), 'BALANCE_TOO_LOW')
  await cancelSwap(alice, swapId(parseSwapFile(offer, alice.domain)))
  assert.is(spendableCoins(await listCoins(alice)).length, 2)
})

swaps('refuses an offer for another chain or contract', async () => {
  const { bob, offer } = await scene()
  assert.is(await codeOf(() => acceptOffer(bob, tampered(offer, ['chainId'], 1))), 'SWAP_OTHER_CHAIN')
  const other = tampered(offer, ['rootContract'], `0x${'dd'.repeat(20)}`)
  assert.is(await codeOf(() => acceptOffer(bob, other)), 'SWAP_OTHER_CHAIN')
})

swaps('refuses what is no swap file, by name', async () => {
  const { bob, offer } = await scene()
  for (const text of [
    '',
    '{}',
    'null',
    tampered(offer, ['extra'], 1),
    tampered(offer, ['give', 'amount'], '-1'),
    tampered(offer, ['give', 'amount'], 5),
  ]) {
    assert.is(await codeOf(() => acceptOffer(bob, text)), 'SWAP_FILE_INVALID')
  }
  assert.is(await codeOf(() => acceptOffer(bob, tampered(offer, ['give', 'amount'], '0'))), 'SWAP_FILE_INVALID')
})

swaps('the maker refuses an acceptance whose terms were changed in any place', async () => {
  const { alice, bob, mallory, offer } = await scene()
  const accepted = formatSwapFile(await acceptOffer(bob, offer))
  const inputs = JSON.parse(accepted).makerInputs
  const changes: readonly (readonly [(string | number)[], unknown])[] = [
    [['give', 'amount'], '50'],
    [['want', 'amount'], '1'],
    [['want', 'token'], `0x${'bb'.repeat(20)}`],
    [['maker'], mallory.account.address],
    [['fee', 'amount'], '2'],
    [['fee', 'to'], mallory.account.address],
    [['makerInputs', 0, 'amount'], '31'],
    [['makerInputs'], inputs.slice(0, 1)],
    [['nonce'], `0x${'01'.repeat(32)}`],
  ]
  for (const [path, value] of changes) {
    const code = await codeOf(() => completeSwap(alice, tampered(accepted, path, value)))
    assert.is(code, 'SWAP_UNKNOWN', path.join('.'))
  }
})

swaps('the maker refuses an acceptance whose taker, inputs or signatures were changed', async () => {
  const { alice, bob, mallory, offer } = await scene()
  const accepted = formatSwapFile(await acceptOffer(bob, offer))
  const [input] = JSON.parse(accepted).takerInputs
  const [witness] = JSON.parse(accepted).takerWitnesses
  const mallorys = (await listCoins(mallory))[0]!.position
  const extra = { position: mallorys, token: ETH, amount: '100' }
  const twoSigned = tampered(
    tampered(accepted, ['takerInputs'], [input, extra]),
    ['takerWitnesses'],
    [witness, witness],
  )
  assert.is(await codeOf(() => completeSwap(alice, twoSigned)), 'SWAP_FORGED')
  assert.is(
    await codeOf(() => completeSwap(alice, tampered(accepted, ['taker'], mallory.account.address))),
    'SWAP_FORGED',
  )
  assert.is(
    await codeOf(() => completeSwap(alice, tampered(accepted, ['takerInputs', 0, 'amount'], '9'))),
    'SWAP_FORGED',
  )
  const flipped = `0x${witness.slice(4)}00`
  assert.is(await codeOf(() => completeSwap(alice, tampered(accepted, ['takerWitnesses', 0], flipped))), 'SWAP_FORGED')
})

swaps('the maker never signs for an input of its own that the taker slipped in', async () => {
  const { world, alice, bob, offer } = await scene()
  const accepted = formatSwapFile(await acceptOffer(bob, offer))
  const [input] = JSON.parse(accepted).takerInputs
  const [witness] = JSON.parse(accepted).takerWitnesses
  const hers = world.deposit(alice.account.address, ETH, 40n)
  const slipped = tampered(accepted, ['takerInputs'], [input, { position: hers, token: ETH, amount: '40' }])
  const code = await codeOf(() => completeSwap(alice, tampered(slipped, ['takerWitnesses'], [witness, witness])))
  assert.is(code, 'SWAP_FORGED')
})

swaps('refuses an offer that names somebody else, and the maker accepting itself', async () => {
  const { alice, bob, mallory, terms } = await scene()
  await cancelSwap(alice, alice.store.openSwaps(alice.account.address)[0]!.id)
  const offer = formatSwapFile(await makeOffer(alice, { ...terms, onlyFor: bob.account.address }))
  assert.is(await codeOf(() => acceptOffer(mallory, offer)), 'SWAP_NOT_FOR_YOU')
  assert.is(await codeOf(() => acceptOffer(alice, offer)), 'SWAP_NOT_FOR_YOU')
  assert.ok(await acceptOffer(bob, offer))
})

swaps('the taker is told when the offered outputs are not what the offer says', async () => {
  const { bob, offer } = await scene()
  assert.is(await codeOf(() => acceptOffer(bob, tampered(offer, ['makerInputs', 0, 'amount'], '5000'))), 'SWAP_HOLLOW')
})

swaps('neither side brings an output that the operator describes other than L1 does', async () => {
  const { world, bob, offer } = await scene()
  world.bendOutput = (output) => ({ ...output, amount: output.amount - 1n })
  assert.is(await codeOf(() => acceptOffer(bob, offer)), 'COIN_MISREPRESENTED')
})

swaps('a taker who cancels spends an input, so the signed swap can never happen', async () => {
  const { alice, bob, offer } = await scene()
  const accepted = formatSwapFile(await acceptOffer(bob, offer))
  const { txHash } = await cancelSwap(bob, swapId(parseSwapFile(accepted, bob.domain)))
  assert.ok(txHash)
  assert.is(await codeOf(() => completeSwap(alice, accepted)), 'PAYMENT_REJECTED')
  assert.equal(await owned(bob), { ETH: 7n, TST: 0n })
  assert.equal(await owned(alice), { ETH: 3n, TST: 50n })
})

swaps('completes a swap once only', async () => {
  const { alice, bob, offer } = await scene()
  const accepted = formatSwapFile(await acceptOffer(bob, offer))
  await completeSwap(alice, accepted)
  assert.is(await codeOf(() => completeSwap(alice, accepted)), 'SWAP_UNKNOWN')
})

swaps.run()

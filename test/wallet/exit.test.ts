/** Leaving: no bond is sent with a proof that L1 would refuse, nor for an output that is spent, and it works without the operator. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ExitData } from '../../api/schemas.ts'
import { type Hex, ZERO_HASH } from '../../protocol/bytes.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { type Exit, hashExit } from '../../protocol/exit.ts'
import { BOND_PERCENT, startExit } from '../../wallet/exit.ts'
import { keepOwnOutputs, pay } from '../../wallet/pay.ts'
import type { L1Done } from '../../wallet/ports.ts'
import { keepProofs, obtainExitData } from '../../wallet/proofs.ts'
import { createFakeWorld, ETH, NO_EXIT } from './fakeWorld.ts'

const exits = suite('exits')

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    if (isLifeboatError(error)) return error.code
    throw error
  }
  return 'no error'
}

/** Alice has 70 of change in block 1; her exits succeed on L1. */
async function scene() {
  const world = createFakeWorld()
  const [alice, bob] = [world.wallet(1), world.wallet(2)]
  const deposit = world.deposit(alice.account.address, ETH, 100n)
  const paid = await pay(alice, { to: bob.account.address, token: ETH, amount: 30n })
  await pay(bob, { to: bob.account.address, token: ETH, amount: 10n })
  world.seal()
  world.onSend = () => recordExit(world, alice.account.address)
  return { world, alice, bob, deposit, change: paid.position + 1, paid }
}

/** What L1 would do on a start: the record and the event. */
function recordExit(world: ReturnType<typeof createFakeWorld>, owner: Hex): L1Done {
  const key = world.acts.at(-1)!.key
  const exit: Exit = {
    outputId: key.slice('exit:'.length) as Hex,
    position: 0,
    owner,
    token: ETH,
    amount: 70n,
    young: true,
    seq: 0,
    startedAt: 1,
    exitableAt: 2_000_000,
    lockedAt: 1,
    payer: owner,
    bond: 1500n,
    disputed: ZERO_HASH,
  }
  world.records.set(exit.outputId, {
    ...NO_EXIT,
    exitHash: hashExit(exit).slice(0, 52) as Hex,
    state: 'queued',
  })
  const at = { l1Block: 9, l1BlockHash: exit.outputId, l1Timestamp: 1, logIndex: 0, txHash: exit.outputId }
  world.events.push({ type: 'ExitStarted', exit, at })
  return { txHash: exit.outputId, l1Block: 9, events: [] }
}

exits('starts the exit of an unspent output with headroom in the bond, and says when it pays', async () => {
  const { world, alice, change } = await scene()
  const started = await startExit(alice, { position: change })
  assert.is(started.outlook.payableAfter, 2_000_000)
  assert.is(started.provenBy, 'operator')
  assert.is(world.acts[0]!.call.valueWei, (1000n * BOND_PERCENT) / 100n)
  assert.equal(started.warnings, [])
})

exits('leaves with saved proofs when the operator is gone', async () => {
  const { world, alice, change, paid } = await scene()
  await keepOwnOutputs(alice, paid)
  world.down = true
  const started = await startExit(alice, { position: change })
  assert.is(started.provenBy, 'saved')
})

exits('leaves with a deposit as well', async () => {
  const { world, alice } = await scene()
  const position = world.deposit(alice.account.address, ETH, 5n)
  assert.is((await startExit(alice, { position })).provenBy, 'operator')
})

exits('asks the next source when one lies, and names every liar when all do', async () => {
  const { world, alice, change } = await scene()
  const honest = { ...alice.sources[0]!, name: 'watcher' }
  const liar = {
    name: 'operator',
    exitData: async (position: number) => {
      const data = (await honest.exitData(position)) as Extract<ExitData, { kind: 'transaction' }>
      return { ...data, transaction: { ...data.transaction, memo: `0x${'01'.repeat(32)}` as Hex } }
    },
  }
  assert.is((await obtainExitData({ ...alice, sources: [liar, honest] }, change)).from, 'watcher')
  const other = world.wallet(1)
  const refused = await obtainExitData({ ...other, sources: [liar] }, change).catch((error) => error)
  assert.is(refused.code, 'EXIT_DATA_MISSING')
  assert.match(refused.details.got.operator, 'names another transaction')
})

exits('refuses data that differs from L1 in any field, before anything is sent', async () => {
  const { world, alice, change } = await scene()
  type Data = Extract<ExitData, { kind: 'transaction' }>
  const lies: Record<string, (data: Data) => ExitData> = {
    'another position': (data) => ({ ...data, position: data.position + 16 }),
    'a larger amount': (data) => ({
      ...data,
      transaction: {
        ...data.transaction,
        outputs: data.transaction.outputs.map((one) => ({ ...one, amount: 10n ** 9n })),
      },
    }),
    'another owner': (data) => ({
      ...data,
      transaction: {
        ...data.transaction,
        outputs: data.transaction.outputs.map((one) => ({ ...one, owner: `0x${'09'.repeat(20)}` as Hex })),
      },
    }),
    'a longer path': (data) => ({
      ...data,
      proof: { ...data.proof, path: [...data.proof.path, `0x${'00'.repeat(32)}` as Hex] },
    }),
    'no path': (data) => ({ ...data, proof: { ...data.proof, path: [] } }),
    'other witnesses': (data) => ({ ...data, proof: { ...data.proof, witnessesHash: `0x${'00'.repeat(32)}` as Hex } }),
    'another root': (data) => ({ ...data, header: { ...data.header, root: `0x${'07'.repeat(32)}` as Hex } }),
    'another time': (data) => ({ ...data, header: { ...data.header, timestamp: data.header.timestamp + 1 } }),
    'another anchor': (data) => ({ ...data, header: { ...data.header, anchor: 6 } }),
    'a deposit': (data) => ({
      kind: 'deposit',
      position: data.position,
      outputId: data.outputId,
      output: data.output,
      l1Block: 1,
    }),
  }
  for (const [what, lie] of Object.entries(lies)) {
    world.bendExitData = (data) => lie(data as Data)
    assert.is(await codeOf(() => startExit(alice, { position: change })), 'EXIT_DATA_MISSING', what)
  }
  assert.is(world.acts.length, 0)
})

exits('refuses a deposit that L1 does not have as told', async () => {
  const { world, alice } = await scene()
  const position = world.deposit(alice.account.address, ETH, 5n)
  world.bendExitData = (data) => ({ ...data, output: { ...data.output, amount: 6n } })
  assert.is(await codeOf(() => startExit(alice, { position })), 'EXIT_DATA_MISSING')
})

exits("refuses somebody else's output", async () => {
  const { alice, paid } = await scene()
  assert.is(await codeOf(() => startExit(alice, { position: paid.position })), 'NOT_OWNER')
})

exits('refuses the exit of an output that its own payment spends', async () => {
  const { world, alice, deposit } = await scene()
  assert.is(await codeOf(() => startExit(alice, { position: deposit })), 'OUTPUT_SPENT')
  assert.is(world.acts.length, 0)
  const forced = await startExit(alice, { position: deposit, unsafeMaybeSpent: true })
  assert.is(forced.warnings.length, 2)
})

exits('refuses an output that the operator no longer lists, unless told otherwise', async () => {
  const { world, alice, change } = await scene()
  const elsewhere = world.wallet(1)
  await pay(elsewhere, { to: elsewhere.account.address, token: ETH, amount: 1n })
  assert.is(await codeOf(() => startExit(alice, { position: change })), 'OUTPUT_SPENT')
})

exits('refuses an output of a void block, and one whose exit exists', async () => {
  const { world, alice, change } = await scene()
  world.voidFrom = 1
  assert.is(await codeOf(() => startExit(alice, { position: change })), 'OUTPUT_VOID')
  world.voidFrom = 0
  await startExit(alice, { position: change })
  assert.is(await codeOf(() => startExit(alice, { position: change, unsafeMaybeSpent: true })), 'EXIT_EXISTS')
})

exits('says what is missing when there is too little ETH for the bond', async () => {
  const { world, alice, change } = await scene()
  world.etherWei = 1600n
  assert.is(await codeOf(() => startExit(alice, { position: change })), 'ETHER_TOO_LOW')
  assert.is(alice.store.exits(alice.account.address).length, 0)
})

exits('warns when the output is not older than a suspect block', async () => {
  const { alice, change } = await scene()
  const { warnings } = await startExit(alice, { position: change, suspectBlock: 1 })
  assert.match(warnings[0]!, 'block 1 is withheld or invalid')
})

exits(
  'an exit that L1 took back while it was looked at is called not lost, and the same call again goes on with the same act',
  async () => {
    const { world, alice, change } = await scene()
    const { onSend } = world
    world.onSend = () => ({ txHash: `0x${'77'.repeat(32)}`, l1Block: 9, events: [] })
    const error = await startExit(alice, { position: change }).catch((thrown: unknown) => thrown)
    assert.ok(isLifeboatError(error))
    assert.equal([error.code, error.family], ['EXIT_VANISHED', 'retryable'])
    assert.match(error.message, 'not lost')
    assert.match(error.message, 'the same command again')
    world.onSend = onSend
    assert.is((await startExit(alice, { position: change })).exit.amount, 70n)
    assert.equal(new Set(world.acts.map(({ key }) => key)).size, 1)
  },
)

exits('a proof that L1 reorganised away is fetched again', async () => {
  const { world, alice, change } = await scene()
  await keepProofs(alice, [change])
  const block = world.blocks.get(1)!
  world.blocks.set(1, { ...block, header: { ...block.header, timestamp: block.header.timestamp + 5 } })
  assert.is((await obtainExitData(alice, change)).from, 'operator')
  assert.is((await obtainExitData(alice, change)).from, 'saved')
})

exits.run()

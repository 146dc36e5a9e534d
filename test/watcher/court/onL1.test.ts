/** The court against the real root contract: what it wants, the contract takes, until there is nothing left to want. */
import * as assert from 'uvu/assert'
import { encodeDecide } from '../../../l1/disputeCalls.ts'
import { decodeRootEvents, type RootEvent } from '../../../l1/rootEvents.ts'
import { bytesToHex, type Hash, ZERO_HASH } from '../../../protocol/bytes.ts'
import type { Exit } from '../../../protocol/exit.ts'
import { outputIdAt } from '../../../protocol/position.ts'
import { hashTransaction } from '../../../protocol/transaction.ts'
import { isAction, stepCourt } from '../../../watcher/court/court.ts'
import { refoldDispute } from '../../../watcher/court/disputeRecord.ts'
import { createDocket } from '../../../watcher/court/docket.ts'
import { foldRecord } from '../../../watcher/court/exitRecord.ts'
import { defaultPolicy } from '../../../watcher/court/policy.ts'
import type { Action, World } from '../../../watcher/court/types.ts'
import { encodeAction } from '../../../watcher/driverIntents.ts'
import type { DisputeFacts, ExitEvent, ExitFacts, OutputFact, PlaceFact, SpendFact } from '../../../watcher/facts.ts'
import { rootSuite } from '../../contracts/rootSuite.ts'
import { deposited, includedIn, showCompetitor, startDispute, startDisputedExit } from '../../support/disputeMoves.ts'
import {
  challenge,
  deposit,
  ETHER,
  passTo,
  place,
  process,
  signMandate,
  startDepositExit,
  stateOf,
  submit,
  turnsOf,
} from '../../support/moves.ts'
import { type Actor, actors, type ChildBlock, ETH, proveInBlock } from '../../support/rootChain.ts'

const { alice, bob, mallory, watcher } = actors
const { test, world } = rootSuite('court on L1')

/** Everything that L1 ever said, oldest first. */
async function readEvents(): Promise<RootEvent[]> {
  const { client, root } = world.chain
  const logs = await client.getLogs({ address: root, fromBlock: 0n })
  const events: RootEvent[] = []
  for (const { blockNumber, blockHash, logIndex, transactionHash, topics, data } of logs) {
    const { timestamp } = await client.getBlock({ blockHash })
    const block = { number: Number(blockNumber), hash: blockHash, timestamp: Number(timestamp) }
    events.push(...decodeRootEvents(block, [{ topics: topics as Hash[], data, logIndex, transactionHash }]))
  }
  return events
}

type Looked = Readonly<{ blocks?: readonly ChildBlock[]; wards?: readonly Actor[]; publicService?: boolean }>

/** All that a watcher which has these blocks knows, and what its court wants. */
async function look({ blocks = [], wards = [], publicService = true }: Looked): Promise<readonly Action[]> {
  const { chain } = world
  const events = await readEvents()
  const { number, timestamp, hash } = await chain.client.getBlock()
  const verifiedBlock = blocks.length

  const placed = blocks.flatMap((block) =>
    block.transactions.map((signed, index) => ({ block, index, signed, position: place(block, index) })),
  )
  const hashOf = (item: (typeof placed)[number]) =>
    bytesToHex(hashTransaction(item.signed.transaction, chain.separator))
  const madeAt = (txHash: Hash): PlaceFact | undefined => {
    const item = placed.find((other) => hashOf(other) === txHash)
    return item && includedIn(chain, item.block, item.index)
  }
  const spendOf = (position: number, lockedAt: number): (SpendFact & { txHash: Hash }) | undefined => {
    const item = placed.find(({ signed }) => signed.transaction.inputs.includes(position))
    if (!item || item.block.header.anchor >= lockedAt) return undefined
    const { block, index, signed } = item
    const input = signed.transaction.inputs.indexOf(position)
    const proof = proveInBlock(chain, block, index)
    return { spend: item.position, signed, input, header: block.header, proof, txHash: hashOf(item) }
  }

  const recordOf = (outputId: Hash) => {
    const of = events.filter((event) => 'outputId' in event && event.outputId === outputId)
    const started = events.findLast((event) => event.type === 'ExitStarted' && event.exit.outputId === outputId)
    return started?.type === 'ExitStarted' ? foldRecord(started.exit, of as unknown as ExitEvent[]) : undefined
  }
  const disputes = events.flatMap((event): DisputeFacts[] => {
    if (event.type !== 'DisputeStarted') return []
    const { dispute, inputs, signed } = event
    const made = madeAt(dispute.txHash)
    const txHash = dispute.txHash
    const of = events.filter((other) => 'txHash' in other && other.txHash === txHash && 'at' in other)
    const facts: DisputeFacts = {
      dispute,
      inputs,
      signed,
      state: 'running',
      competitors: [],
      answers: [],
      events: [{ type: 'DisputeStarted', at: event.at }, ...(of as unknown as DisputeFacts['events'])],
      ...(made && made.header.anchor < dispute.lockedAt && { made }),
      spends: inputs.map(({ position, lockedAt }) => {
        const spend = spendOf(position, lockedAt)
        return spend?.txHash === txHash ? undefined : spend
      }),
      inputExits: inputs.map(({ outputId }) => recordOf(outputId)),
      outputs: signed.transaction.outputs.map((output, i) => {
        const outputId = outputIdAt(i, txHash)
        const exit = recordOf(outputId)
        const spentBy = made && spendOf(made.position + i, Number.MAX_SAFE_INTEGER)?.spend
        return { ...output, output: i, outputId, ...(exit && { exit }), ...(spentBy !== undefined && { spentBy }) }
      }),
    }
    return [refoldDispute(facts)]
  })
  const docket = createDocket(disputes, disputes)

  const exits = events.flatMap((event): ExitFacts[] => {
    if (event.type !== 'ExitStarted') return []
    const record = recordOf(event.exit.outputId)
    if (!record) return []
    const { exit } = record
    const made = exit.disputed === ZERO_HASH ? undefined : madeAt(exit.disputed)
    const at = exit.disputed === ZERO_HASH ? exit.position : made && made.position + outputIndexOf(exit)
    const spend = at === undefined ? undefined : spendOf(at, exit.lockedAt)
    const isRefuted = spend && docket.byTransaction.get(spend.txHash)?.state === 'not-canonical'
    const output: OutputFact =
      spend && !isRefuted
        ? { kind: 'spent', asOf: verifiedBlock, evidence: spend }
        : { kind: 'unspent', asOf: verifiedBlock }
    const state = docket.byTransaction.get(exit.disputed)?.state
    return [{ ...record, output, ...(state && { dispute: { state, ...(made && { made }) } }) }]
  })

  const policy = defaultPolicy({ sender: watcher.address, seed: ZERO_HASH }, chain.parameters)
  const court: World = {
    now: { block: Number(number), hash: hash as Hash, timestamp: Number(timestamp), finalised: Number(number) },
    parameters: chain.parameters,
    safety: { status: 'safe', reason: 'verified' },
    verifiedBlock,
    verifiedAnchor: blocks.at(-1)?.header.anchor ?? 0,
    newestBlock: verifiedBlock,
    newestTime: blocks.at(-1)?.header.timestamp ?? 0,
    voidFrom: 0,
    lastMove: 0,
    disproved: new Set(),
    spentInFault: new Set(),
    protectedOwners: new Set(wards.map(({ address }) => address)),
    docket,
    policy: { ...policy, staggerSeconds: 0, publicService },
  }
  const [oldHead, oldTail, youngFirst, , youngCursor] = await chain.read<readonly number[]>('queue')
  const [funded] = await chain.read<readonly bigint[]>('totals', [ETH])
  const accounts = await Promise.all(
    wards.map(async (ward) => {
      const { mandate, signature } = await signMandate(chain, ward, {})
      return { owner: ward.address, mandate, signature, addedAt: 0 }
    }),
  )
  const { effects } = stepCourt({
    cases: new Map(),
    disputeCases: new Map(),
    exits,
    disputes,
    wards: accounts.map((account) => ({ account, revoked: false, outputs: [] })),
    records: exits,
    headers: new Map(blocks.map((block) => [block.number, block.header] as const)),
    readings: {
      baseFeeWei: 1n,
      exitBondWei: await chain.read<bigint>('exitBond'),
      domainSeparator: bytesToHex(chain.separator),
      balanceWei: 1_000n * ETHER,
      queue: { oldHead: oldHead!, oldTail: oldTail!, youngFirst: youngFirst!, youngCursor: youngCursor! },
      funded: new Map([[ETH, funded!]]),
      credits: [],
    },
    world: court,
  })
  const faults = effects.filter((effect) => effect.type === 'alert' && effect.code === 'INTERNAL_FAULT')
  assert.equal(faults, [])
  return effects.filter(isAction)
}

function outputIndexOf(exit: Exit): number {
  for (let i = 0; i < 16; i++) if (outputIdAt(i, exit.disputed) === exit.outputId) return i
  throw new Error('no such output')
}

/** Does all that the court wants, each as its own call, until it wants nothing; the contract refuses none of it. */
async function act(looked: Looked): Promise<string[]> {
  const done: string[] = []
  const keys = new Set<string>()
  for (;;) {
    const action = (await look(looked)).find(({ key }) => !keys.has(key))
    if (!action) return done
    keys.add(action.key)
    await world.chain.send(watcher.account, encodeAction(action))
    done.push(action.type)
  }
}

test('takes a payee out of flight, gets the verdict, gives the turn, and the payee is paid', async () => {
  const { chain } = world
  const signed = await chain.pay(alice, await deposit(chain, alice), [
    [bob, ETHER / 2n],
    [alice, ETHER / 2n],
  ])
  const { dispute } = await startDispute(chain, signed, [deposited(alice)])
  assert.equal(await act({ wards: [alice, bob] }), ['start-disputed-exits', 'start-disputed-exits'])
  await passTo(chain, dispute.exitableAt + 60)
  assert.equal(await act({ wards: [alice, bob] }), ['decide-dispute', 'process-exits'])
  const states = (await readEvents()).filter(({ type }) => type === 'ExitPaid')
  assert.is(states.length, 2)
})

test('answers an offer that the payer shows against an included payment', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [[bob, ETHER]])
  const block = await submit(chain, [signed])
  const started = await startDispute(chain, signed, [deposited(alice)])
  assert.equal(await act({ blocks: [block] }), [])
  await showCompetitor(chain, started, await chain.pay(alice, position, [[mallory, ETHER]]))
  assert.equal(await act({ blocks: [] }), [], 'without the block nothing can be said')
  assert.equal(await act({ blocks: [block] }), ['answer-dispute'])
  await passTo(chain, started.dispute.exitableAt + chain.parameters.reaction + 1)
  assert.equal(await act({ blocks: [block] }), ['decide-dispute'])
  const decided = (await readEvents()).find((event) => event.type === 'DisputeDecided')
  assert.is(decided?.type === 'DisputeDecided' && decided.verdict, 'canonical')
})

test('shows the included rival of a false dispute, and what leaves through it is removed at its turn', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const block = await submit(chain, [await chain.pay(alice, position, [[bob, ETHER]])])
  const forged = await chain.pay(alice, position, [[mallory, ETHER]])
  const started = await startDispute(chain, forged, [deposited(alice)])
  const stolen = await startDisputedExit(chain, mallory, started)
  assert.equal(await act({ blocks: [block], wards: [alice] }), ['show-competitor'])
  await passTo(chain, stolen.exitableAt + chain.parameters.reaction + 1)
  assert.equal(await act({ blocks: [block] }), ['decide-dispute', 'process-exits'])
  assert.is(await stateOf(chain, stolen), 'removed')
})

test('challenges an exit of an output that was spent where the disputed payment is included, and releases it', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [[mallory, ETHER]])
  const made = await submit(chain, [signed])
  const spent = await submit(chain, [await chain.pay(mallory, place(made), [[bob, ETHER]])])
  const started = await startDispute(chain, signed, [deposited(alice)])
  const stolen = await startDisputedExit(chain, mallory, started)
  const blocks = [made, spent]
  assert.equal(await act({ blocks }), ['challenge'])
  await passTo(chain, stolen.exitableAt + chain.parameters.reaction + 1)
  await process(chain, turnsOf([stolen], blocks))
  assert.is(await stateOf(chain, stolen), 'ticket', 'while the dispute runs it is only reserved')
  assert.equal(await act({ blocks }), ['decide-dispute', 'release'])
  assert.is(await stateOf(chain, stolen), 'removed')
})

test('leaves an exit of a spent input to the verdict, and inherits its place for the payee', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const late = await startDepositExit(chain, alice, position)
  const signed = await chain.pay(alice, position, [[bob, ETHER]])
  const started = await startDispute(chain, signed, [deposited(alice)], { exits: [late] })
  assert.equal(await act({ wards: [bob] }), ['start-disputed-exits'])
  await passTo(chain, started.dispute.exitableAt + 60)
  const events = await readEvents()
  const own = events.flatMap((event) => (event.type === 'ExitStarted' ? [event.exit] : []))
  await process(chain, turnsOf(own))
  assert.equal(await act({ wards: [bob] }), ['decide-dispute', 'release', 'inherit'])
  const [, payee] = own
  assert.is(await stateOf(chain, late), 'settled')
  assert.is(await stateOf(chain, payee!), 'settled')
  const paid = (await readEvents()).find((event) => event.type === 'ExitPaid')
  assert.is(paid?.type === 'ExitPaid' && paid.amount, ETHER)
  assert.is(paid?.type === 'ExitPaid' && paid.outputId, payee!.outputId)
})

test('drops a payment that a verdict refuted from the exit of its input, and the owner is paid', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const signed = await chain.pay(alice, position, [[bob, ETHER]])
  const block = await submit(chain, [signed])
  const exit = await startDepositExit(chain, alice, position)
  await challenge(chain, exit, [block, 0], { from: mallory })
  const started = await startDispute(chain, signed, [deposited(alice)], { exits: [exit] })
  await showCompetitor(chain, started, await chain.pay(alice, position, [[mallory, ETHER]]))
  await passTo(chain, started.dispute.exitableAt + chain.parameters.reaction + 1)
  assert.equal(
    await act({ wards: [], publicService: false, blocks: [block] }),
    [],
    'no verdict against the blocks by us',
  )
  await chain.send(mallory.account, encodeDecide(started))
  assert.equal(await act({ publicService: false, blocks: [block] }), ['drop-evidence'])
  assert.equal(await act({ wards: [alice], blocks: [block] }), ['process-exits'])
  assert.is(await stateOf(chain, exit), 'settled')
})

test('weighs further pieces of a dispute in the call that asks for the verdict', async () => {
  const { chain } = world
  const position = await deposit(chain, alice)
  const made = await submit(chain, [await chain.pay(alice, position, [[bob, ETHER]])])
  const twice = await submit(chain, [await chain.pay(alice, position, [[mallory, ETHER]], `0x${'01'.repeat(32)}`)])
  const again = await submit(chain, [await chain.pay(alice, position, [[mallory, ETHER]], `0x${'02'.repeat(32)}`)])
  const [signed] = made.transactions
  const started = await startDispute(chain, signed!, [deposited(alice)])
  for (const block of [twice, again]) {
    const included = includedIn(chain, block)
    await showCompetitor(chain, started, block.transactions[0]!, { included })
  }
  assert.equal(await act({ blocks: [made] }), ['answer-dispute'])
  await passTo(chain, started.dispute.exitableAt + chain.parameters.reaction + 1)
  assert.equal(await act({ blocks: [made] }), ['decide-dispute'])
  const decided = (await readEvents()).find((event) => event.type === 'DisputeDecided')
  assert.is(decided?.type === 'DisputeDecided' && decided.verdict, 'canonical')
})

test.run()

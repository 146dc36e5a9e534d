/**
 * Leaving in flight (docs/spec.md section 6.3): of a payment whose inclusion is unknown. The wallet starts its dispute, or joins the one
 * that runs, and takes its own outputs of it out in the same call. Everything that L1 would refuse is refused before a bond is sent.
 */
import { encodeStartDispute, encodeStartDisputedExits, type InputShown } from '../l1/disputeCalls.ts'
import { type Hash, hexToBytes } from '../protocol/bytes.ts'
import { invalid, isLifeboatError, retryable } from '../protocol/errors.ts'
import type { Exit } from '../protocol/exit.ts'
import { decodePosition, outputIdOf } from '../protocol/position.ts'
import { answer } from './answer.ts'
import type { WalletContext } from './context.ts'
import { type DisputeOutlook, disputeOutlook, findDispute, isVoidAt, type KnownDispute } from './disputes.ts'
import { requireEther, type StartedExit, startExit, withHeadroom } from './exit.ts'
import { findExit, findYoungHint } from './exits.ts'
import type { Flight, ProvenFlight } from './flight.ts'
import { proveFlight, warningsOf } from './flightCheck.ts'
import type { L1Done } from './ports.ts'
import type { ProvenExitData } from './proofs.ts'

/** Gas of a start, by its inputs and the exits that start with it; what is kept aside for it. */
const DISPUTE_GAS = 100_000n
const GAS_PER_INPUT = 60_000n
const GAS_PER_EXIT = 90_000n

export type InFlightOptions = Readonly<{
  flight: Flight
  /** Exits of own inputs start at once too, to hold their places: each costs a bond, which a spend by this payment itself may take. */
  withInputs?: boolean
  /** Go on where the verdict can only be, or probably is, not canonical. */
  unsafeDoomed?: boolean
  /** First child block that a watcher holds for withheld or invalid. */
  suspectBlock?: number
}>

export type InFlightExit = Readonly<{
  /** started: the dispute is ours. joined: somebody else had started it, or its verdict was there. */
  how: 'started' | 'joined'
  txHash: Hash
  dispute: KnownDispute
  outlook: DisputeOutlook
  /** Own outputs whose exits started now. */
  exits: readonly Exit[]
  /** Own inputs whose exits started now. */
  inputExits: readonly StartedExit[]
  /** Where the transaction is included, if that was shown to L1 now. */
  answeredAt?: number
  warnings: readonly string[]
}>

/**
 * Throws the refusals of flightCheck.ts; DISPUTE_LOST after a verdict that is not canonical, with the inputs that are free then;
 * NOTHING_LEAVES where the account has nothing left to take out; ETHER_TOO_LOW; and what the outbox throws.
 */
export async function exitInFlight(wallet: WalletContext, options: InFlightOptions): Promise<InFlightExit> {
  const { flight } = options
  const { verdict } = await wallet.root.disputeRecord(flight.txHash)
  if (verdict === 'none') {
    const started = await startOne(wallet, options)
    if (started) return started
    wallet.report('somebody else has disputed it meanwhile')
  }
  return joinOne(wallet, options)
}

async function startOne(wallet: WalletContext, options: InFlightOptions): Promise<InFlightExit | undefined> {
  const { store, account, root } = wallet
  wallet.report('checking the payment and what shows its inputs')
  const flight = await proveFlight(wallet, options.flight, options)
  const outputs = await leavingOutputs(wallet, flight)
  const notes = outputs.length > 0 ? [] : await refuseIdle(wallet, flight)
  const [exitBondWei, disputeBondWei] = [
    withHeadroom(await root.exitBond()),
    withHeadroom(await root.disputeBond(flight.inputs.length)),
  ]
  const bondWei = disputeBondWei + exitBondWei * BigInt(outputs.length)
  const gas = DISPUTE_GAS + GAS_PER_INPUT * BigInt(flight.inputs.length) + GAS_PER_EXIT * BigInt(outputs.length)
  await requireEther(wallet, { bondWei, exitBondWei, gas })
  store.saveFlight({ ...flight, owner: account.address })
  wallet.report('starting the dispute on L1')
  const done = await wallet.send({
    key: `dispute:${flight.txHash}`,
    purpose: `dispute the payment ${flight.txHash}`,
    call: encodeStartDispute({
      signed: flight.signed,
      inputs: flight.inputs.map(shownOf),
      exits: flight.exits,
      bondWei: disputeBondWei,
      leaving: { outputs, bondWeiEach: exitBondWei, youngHint: await youngHint(wallet, flight) },
    }),
    doneErrors: ['DisputeKnown'],
  })
  if (done.txHash === undefined) return undefined
  return finish(wallet, { how: 'started', flight, done, options, warnings: [...warningsOf(flight, options), ...notes] })
}

async function joinOne(wallet: WalletContext, options: InFlightOptions): Promise<InFlightExit> {
  const { root, store, account } = wallet
  const { flight } = options
  const known = await requireDispute(wallet, flight.txHash)
  refuseLost(known, account.address)
  store.saveFlight({ ...flight, owner: account.address })
  // Perhaps this wallet was stopped when it had just started it.
  if (known.dispute.starter === account.address) store.saveDispute(flight.txHash, account.address)
  await saveExiting(wallet, flight)
  const answered = await answer(wallet, known)
  const outputs = await leavingOutputs(wallet, flight)
  const ownInputs = known.inputs.some(({ owner }) => owner === account.address)
  if (outputs.length === 0 && !answered && !(options.withInputs === true && ownInputs)) {
    throw invalid(
      'NOTHING_LEAVES',
      'this payment is disputed already, and nothing of yours is left to take out through it',
      {
        got: `a dispute that is ${known.record.verdict}`,
        want: `an own output without an exit; \`lifeboat process\` does the rest. See \`lifeboat explain dispute ${flight.txHash}\``,
        txHash: flight.txHash,
      },
    )
  }
  let done: L1Done = { events: [] }
  if (outputs.length > 0) {
    const exitBondWei = withHeadroom(await root.exitBond())
    const bondWei = exitBondWei * BigInt(outputs.length)
    await requireEther(wallet, { bondWei, exitBondWei, gas: GAS_PER_EXIT * BigInt(outputs.length) })
    const hint = await findYoungHint(root, decodePosition(known.dispute.agePosition).block)
    wallet.report('joining the dispute on L1')
    done = await wallet.send({
      key: `join:${flight.txHash}:${account.address}:${outputs.join(',')}`,
      purpose: `take outputs ${outputs.join(', ')} of the disputed payment ${flight.txHash} out`,
      call: encodeStartDisputedExits({
        dispute: known.dispute,
        transaction: known.signed.transaction,
        outputs,
        bondWei,
        youngHint: hint,
      }),
      doneErrors: ['AlreadyExiting'],
    })
  }
  const ended = await finish(wallet, { how: 'joined', flight, done, options, warnings: [] })
  return answered === undefined ? ended : { ...ended, answeredAt: answered }
}

type Ending = Readonly<{
  how: InFlightExit['how']
  flight: Flight
  done: L1Done
  options: InFlightOptions
  warnings: readonly string[]
}>

async function finish(wallet: WalletContext, { how, flight, done, options, warnings }: Ending): Promise<InFlightExit> {
  const { store, account, root } = wallet
  const { txHash } = flight
  store.saveDispute(txHash, account.address)
  const exits = done.events.flatMap((event) =>
    event.type === 'ExitStarted' && event.exit.owner === account.address ? [event.exit] : [],
  )
  for (const { outputId } of exits) {
    const output = flight.signed.transaction.outputs.findIndex((_, i) => idOf(flight, i) === outputId)
    // Without a place the operator lists it nowhere, and no payment can choose it.
    if (flight.position !== undefined)
      store.saveExit({ outputId, owner: account.address, position: flight.position + output })
  }
  const dispute = await requireDispute(wallet, txHash)
  const inputExits = options.withInputs === true ? await exitInputs(wallet, dispute) : []
  const outlook = await disputeOutlook(root, dispute)
  return { how, txHash, dispute, outlook, exits, inputExits, warnings }
}

/**
 * Exits of own inputs that have none: they wait for the verdict in their places. One that an included competitor spends, or that cannot
 * start, is told, not thrown.
 */
export async function exitInputs(
  wallet: WalletContext,
  { dispute, inputs, competitors, record }: KnownDispute,
): Promise<StartedExit[]> {
  const started: StartedExit[] = []
  if (record.hasCompetitor && competitors.length === 0) {
    wallet.report(
      `the endpoint hides what was shown against ${dispute.txHash}: its inputs do not leave before that is known`,
    )
    return started
  }
  for (const [i, { owner, outputId, position }] of inputs.entries()) {
    const { state } = await wallet.root.exitRecord(outputId)
    if (owner !== wallet.account.address || (state !== 'none' && state !== 'locked')) continue
    const rivals = competitors.filter((one) => one.input === i && one.position !== 0)
    const rival = await firstStanding(wallet, rivals)
    if (rival) {
      wallet.report(
        `input ${position} does not leave: ${rival.txHash} at ${rival.position} spends it, signed by its owner`,
      )
      continue
    }
    try {
      started.push(await startExit(wallet, { position, refuted: [dispute.txHash] }))
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      wallet.report(`input ${position} does not leave now: ${error.message}`)
    }
  }
  return started
}

/** Evidence of a spend in a block that became void, or that was proven invalid, takes nobody's bond. */
async function firstStanding({ root }: WalletContext, rivals: KnownDispute['competitors']) {
  const { voidFrom } = await root.head()
  for (const rival of rivals) {
    if (!isVoidAt(rival.position, voidFrom) && !(await root.isInvalid(rival.position))) return rival
  }
  return undefined
}

/**
 * Nothing of the account's would leave by a dispute that it starts. Throws NOTHING_LEAVES, unless that holds a right all the same: inputs
 * of its own wait for the verdict, or an output's exit rests on a void block and only the dispute can follow it. Returns what to say.
 */
async function refuseIdle(wallet: WalletContext, flight: ProvenFlight): Promise<string[]> {
  const { root, account } = wallet
  const head = await root.head()
  const barred: string[] = []
  for (const [i, { owner }] of flight.signed.transaction.outputs.entries()) {
    const known = owner === account.address ? await findExit(root, idOf(flight, i)) : undefined
    if (known?.record.state !== 'queued' || !isVoidAt(known.exit.position, head.voidFrom)) continue
    barred.push(
      `output ${i} has an exit by its void block, which ends unpaid at its turn, after L1 time ${known.exit.exitableAt}; ` +
        'after that the output leaves by this dispute: `lifeboat process` sees to it',
    )
  }
  const ownsInput = flight.inputs.some(({ output }) => output.owner === account.address)
  if (barred.length > 0 || ownsInput) return barred
  throw invalid(
    'NOTHING_LEAVES',
    'every output of yours in this payment has an exit already: a dispute would add nothing',
    {
      got: 'no own output without an exit',
      want: 'nothing; `lifeboat exits` says when they pay',
      txHash: flight.txHash,
    },
  )
}

/** After a crash between the call and the note of it: no payment chooses what leaves. */
async function saveExiting({ store, root, account }: WalletContext, flight: Flight): Promise<void> {
  const { position, signed } = flight
  if (position === undefined) return
  for (const [i, { owner }] of signed.transaction.outputs.entries()) {
    if (owner !== account.address) continue
    const outputId = idOf(flight, i)
    const { state } = await root.exitRecord(outputId)
    if (state !== 'none' && state !== 'locked') store.saveExit({ outputId, owner, position: position + i })
  }
}

/** Own outputs that have no exit, by index. */
async function leavingOutputs(wallet: WalletContext, flight: Flight): Promise<number[]> {
  const leaving: number[] = []
  for (const [i, { owner }] of flight.signed.transaction.outputs.entries()) {
    if (owner !== wallet.account.address) continue
    const { state } = await wallet.root.exitRecord(idOf(flight, i))
    if (state === 'none' || state === 'locked') leaving.push(i)
  }
  return leaving
}

async function requireDispute(wallet: WalletContext, txHash: Hash): Promise<KnownDispute> {
  const known = await findDispute(wallet, txHash)
  if (known) return known
  throw retryable('DISPUTE_HIDDEN', 'L1 keeps a dispute of this payment, and the endpoint does not show how it began', {
    got: 'no DisputeStarted event',
    want: 'its event; try again, or another L1 endpoint',
    txHash,
  })
}

function refuseLost({ record, inputs, dispute }: KnownDispute, account: string): void {
  if (record.verdict !== 'not-canonical') return
  const own = inputs.filter(({ owner }) => owner === account).map(({ position }) => position)
  throw invalid('DISPUTE_LOST', 'this payment was judged not canonical: its outputs never leave', {
    got: record.verdict,
    want:
      own.length === 0
        ? 'nothing; its inputs are their owners’ again'
        : `exits of your inputs: \`lifeboat exit ${own[0]}\``,
    inputs: own,
    txHash: dispute.txHash,
  })
}

function shownOf({ data }: ProvenExitData): InputShown {
  if (data.kind === 'transaction') return data
  const { owner, token, amount } = data.output
  return { deposit: { owner, token, amount } }
}

async function youngHint({ root }: WalletContext, { inputs }: ProvenFlight): Promise<number> {
  const made = inputs.filter(({ data }) => data.kind === 'transaction').at(-1)
  return made === undefined ? 0 : findYoungHint(root, decodePosition(made.output.position).block)
}

function idOf({ txHash }: Flight, output: number): Hash {
  return outputIdOf(hexToBytes(txHash), output)
}

/**
 * Leaving in flight (docs/spec.md section 6.3): of a payment whose inclusion is unknown. The wallet starts its dispute, or joins the one
 * that runs, and takes its own outputs of it out in the same call. Everything that L1 would refuse is refused before a bond is sent.
 */
import {
  encodeAnswerDispute,
  encodeStartDispute,
  encodeStartDisputedExits,
  type InputShown,
} from '../l1/rootContract.ts'
import { type Hash, hexToBytes } from '../protocol/bytes.ts'
import { invalid, isLifeboatError, retryable } from '../protocol/errors.ts'
import type { Exit } from '../protocol/exit.ts'
import { decodePosition, outputIdAt, outputIdOf } from '../protocol/position.ts'
import type { WalletContext } from './context.ts'
import { type DisputeOutlook, disputeOutlook, findDispute, type KnownDispute, oldestStanding } from './disputes.ts'
import { requireEther, type StartedExit, startExit, withHeadroom } from './exit.ts'
import { findYoungHint } from './exits.ts'
import type { Flight, ProvenFlight } from './flight.ts'
import { proveFlight, warningsOf } from './flightCheck.ts'
import type { L1Done } from './ports.ts'
import { obtainExitData, type ProvenExitData } from './proofs.ts'

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
  return finish(wallet, { how: 'started', flight, done, options, warnings: warningsOf(flight, options) })
}

async function joinOne(wallet: WalletContext, options: InFlightOptions): Promise<InFlightExit> {
  const { root, store, account } = wallet
  const { flight } = options
  const known = await requireDispute(wallet, flight.txHash)
  refuseLost(known, account.address)
  store.saveFlight({ ...flight, owner: account.address })
  // Perhaps this wallet was stopped when it had just started it.
  if (known.dispute.starter === account.address) store.saveDispute(flight.txHash, account.address)
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
 * Shows L1 where the disputed transaction is included, if the wallet holds that and it would count: in time, anchored before the inputs'
 * locks, and not shown already. Returns the position.
 */
export async function answer(wallet: WalletContext, known: KnownDispute): Promise<number | undefined> {
  const { root, account, store } = wallet
  const { dispute, record } = known
  const held = store.flight(dispute.txHash)?.position
  const [now, head, outlook] = [await root.now(), await root.head(), await disputeOutlook(root, known)]
  if (record.verdict !== 'running' || held === undefined || now.timestamp > outlook.answersUntil) return undefined
  const { answer: oldest } = await oldestStanding(root, known, head)
  if (oldest !== undefined && oldest <= held) return undefined
  const own = known.signed.transaction.outputs.map((_, i) => held + i)
  const place = await findInclusion(wallet, own, dispute.txHash)
  if (!place || place.header.anchor >= dispute.lockedAt || (await root.isInvalid(held))) return undefined
  if (head.voidFrom !== 0 && decodePosition(held).block >= head.voidFrom) return undefined
  wallet.report('showing L1 where the payment is included')
  await wallet.send({
    key: `answer:${dispute.txHash}:${held}:${account.address}`,
    purpose: `show where the disputed payment ${dispute.txHash} is included`,
    call: encodeAnswerDispute(dispute, { position: held, header: place.header, proof: place.proof }),
    doneErrors: ['PieceKnown'],
  })
  return held
}

/**
 * Exits of own inputs that have none: they wait for the verdict in their places. One that an included competitor spends, or that cannot
 * start, is told, not thrown.
 */
export async function exitInputs(
  wallet: WalletContext,
  { dispute, inputs, competitors }: KnownDispute,
): Promise<StartedExit[]> {
  const started: StartedExit[] = []
  for (const [i, { owner, outputId, position }] of inputs.entries()) {
    const { state } = await wallet.root.exitRecord(outputId)
    if (owner !== wallet.account.address || (state !== 'none' && state !== 'locked')) continue
    const rival = competitors.find((one) => one.input === i && one.position !== 0)
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

/** Any output's exit data shows the inclusion; the first that somebody has will do. */
async function findInclusion(wallet: WalletContext, positions: readonly number[], txHash: Hash) {
  for (const position of positions) {
    try {
      const { data, output } = await obtainExitData(wallet, position)
      if (data.kind === 'transaction' && outputIdAt(position, txHash) === output.outputId) return data
    } catch (error) {
      if (!isLifeboatError(error)) throw error
    }
  }
  return undefined
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

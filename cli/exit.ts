/** lifeboat exit: takes one output, a payment in flight, or everything back to L1. */
import { existsSync, readFileSync } from 'node:fs'
import { parseHash } from '../protocol/bytes.ts'
import { configError, isLifeboatError } from '../protocol/errors.ts'
import { parsePosition } from '../protocol/position.ts'
import { boolean, integer, text } from '../service/configTypes.ts'
import { leaveBy } from '../wallet/deadlines.ts'
import type { StartedExit } from '../wallet/exit.ts'
import type { Flight } from '../wallet/flight.ts'
import { exitInFlight, type InFlightExit } from '../wallet/inFlight.ts'
import { findFlight } from '../wallet/keep.ts'
import { type LeaveOptions, type Left, leave, leavePayment } from '../wallet/leave.ts'
import { outputsToLeave } from '../wallet/owned.ts'
import { keepPaymentFile, parsePaymentFile } from '../wallet/paymentFile.ts'
import { endSwap, swapFlight } from '../wallet/swap.ts'
import { errorToJson, type PrintedError } from './exitCodes.ts'
import { type CliIo, formatTime } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'
import type { Session } from './walletSession.ts'
import { findSuspectBlock } from './watcherView.ts'

const ETH = '0x0000000000000000000000000000000000000000'

type Failure = Readonly<{ position?: number; txHash?: string; error: PrintedError }>
type Outcome = Readonly<{ left: readonly Left[]; failed: readonly Failure[] }>

export function createExitCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'exit',
    describe:
      'Leave to L1 with an output or a payment; which exit is right is chosen and said, and everything shown is checked first',
    words: { '[output]': 'position, as `lifeboat balance --outputs` shows it, or the hash of a payment' },
    entries: {
      all: { kind: boolean(), default: false, describe: 'Leave with every output of the account, oldest first' },
      inFlight: {
        kind: text({ want: 'the hash of a payment, or a file of it' }),
        optional: true,
        describe: 'Leave by the dispute of this payment: its hash, or a file of `payment save` or `swap accept`',
      },
      standard: { kind: boolean(), default: false, describe: 'The standard exit, whatever the choice would be' },
      withInputs: {
        kind: boolean(),
        default: false,
        describe:
          'In flight: hold the places of own inputs by exits too (a bond each, which the payment itself may take)',
      },
      suspectBlock: {
        kind: integer(),
        optional: true,
        describe: 'First block held for withheld or invalid; asked of the watchers when left out',
      },
      secondPlace: {
        kind: boolean(),
        default: false,
        describe: 'Start an exit although a mass exit holds a place for the output that comes no later',
      },
      unsafeMaybeSpent: {
        kind: boolean(),
        default: false,
        describe: 'Go on although the output is or may be spent: the bond may be lost',
      },
      unsafeDoomed: {
        kind: boolean(),
        default: false,
        describe: 'In flight: go on although the verdict can only go against the payment',
      },
    },
    sign: true,
    examples: ['lifeboat exit 33554448', 'lifeboat exit --all', 'lifeboat exit --in-flight payment.json'],
    run: async (session, [output], config) => {
      const given = [output, config.inFlight, config.all || undefined].filter((one) => one !== undefined)
      if (given.length !== 1) throw whichOutput(given.length)
      const suspectBlock = config.suspectBlock ?? (await findSuspectBlock(session))
      const options = {
        unsafeMaybeSpent: config.unsafeMaybeSpent,
        unsafeDoomed: config.unsafeDoomed,
        withInputs: config.withInputs,
        secondPlace: config.secondPlace,
        standardOnly: config.standard,
        ...(suspectBlock === undefined ? {} : { suspectBlock }),
      }
      await sayWhatHurries(session, suspectBlock)
      const outcome = await run(session, { output, inFlight: config.inFlight }, options)
      return report(session, outcome)
    },
  })
}

/** A fault of one output or payment, or of who shows it; everything else, such as a silent L1, concerns all of them. */
const OF_ONE: readonly string[] = ['EXIT_DATA_MISSING', 'INPUT_UNPROVEN', 'EXIT_HIDDEN', 'DISPUTE_HIDDEN']

/** In plain words, before anything is sent: what the state of the chain means, and by when. */
async function sayWhatHurries({ wallet, io }: Session, suspectBlock: number | undefined): Promise<void> {
  const [{ timestamp }, { voidFrom }] = [await wallet.root.now(), await wallet.root.head()]
  if (voidFrom !== 0) {
    io.err(
      `the chain was halted: blocks from ${voidFrom} on are void. What older blocks and deposits hold leaves at any time. A payment to you in a ` +
        'void block leaves by its dispute; if the payer takes out what it spent, only until three quarters of the period (MEP) after that, so do it now\n',
    )
    return
  }
  const by = suspectBlock === undefined ? undefined : await leaveBy(wallet.root, suspectBlock)
  if (!by) return
  const rest =
    timestamp > by.lastMoment
      ? `that was until ${formatTime(by.lastMoment, timestamp)}: what the block forged may come first, and leaving still beats staying`
      : `in the queue by ${formatTime(by.lastMoment, timestamp)} comes before whatever it forged; start disputes by ${formatTime(by.startBy, timestamp)}`
  io.err(`block ${by.block} is withheld or invalid. What is older and ${rest}\n`)
}

type Asked = Readonly<{ output: string | undefined; inFlight: string | undefined }>

async function run(
  session: Session,
  { output, inFlight }: Asked,
  options: Omit<LeaveOptions, 'position'>,
): Promise<Outcome> {
  const { wallet } = session
  if (inFlight !== undefined) return { left: [await leaveInFlight(session, inFlight, options)], failed: [] }
  if (output?.startsWith('0x')) {
    return { left: await leavePayment(wallet, await findFlight(wallet, parseHash(output)), options), failed: [] }
  }
  if (output !== undefined)
    return { left: [await leave(wallet, { ...options, position: parsePosition(output) })], failed: [] }
  return leaveWithAll(session, options)
}

async function leaveInFlight(
  { wallet, io }: Session,
  named: string,
  options: Omit<LeaveOptions, 'position'>,
): Promise<Left> {
  const file = existsSync(named) ? readFileSync(named, 'utf8') : undefined
  if (file === undefined && !/^0x[0-9a-fA-F]{64}$/.test(named)) {
    throw configError('FLIGHT_NOT_NAMED', 'which payment?', {
      got: named,
      want: 'the hash of a payment, or a readable file',
    })
  }
  const isSwap = file !== undefined && /"lifeboatSwap"\s*:/.test(file)
  const flight = await flightOf()
  const left = await exitInFlight(wallet, { ...options, flight })
  if (isSwap) endSwap(wallet, file)
  return { choice: { way: 'in-flight', why: 'asked for', txHash: flight.txHash }, inFlight: left }

  async function flightOf(): Promise<Flight> {
    if (file === undefined) return findFlight(wallet, parseHash(named))
    if (isSwap) return swapFlight(wallet, file)
    const { unproven, ...kept } = await keepPaymentFile(wallet, parsePaymentFile(file, wallet.domain))
    if (unproven > 0) io.err(`warning: nobody shows ${unproven} of its inputs yet\n`)
    return kept
  }
}

/** One that cannot leave does not keep the others back. Outputs of one disputed payment leave together, once. */
async function leaveWithAll(session: Session, options: Omit<LeaveOptions, 'position'>): Promise<Outcome> {
  const { wallet, io } = session
  const left: Left[] = []
  const failed: Failure[] = []
  const gone = new Set<string>()
  const { positions, unplaced, unlisted, leaving } = await outputsToLeave(wallet)
  if (leaving.length > 0) {
    io.err(
      `mass exits hold places for ${leaving.length === 1 ? 'output' : 'outputs'} ${leaving.join(', ')}: \`lifeboat claim all\` says when they pay\n`,
    )
  }
  if (unlisted.length > 0) {
    io.err(
      `the operator does not list ${unlisted.length === 1 ? 'output' : 'outputs'} ${unlisted.join(', ')}, kept here as unspent. If no other copy of this ` +
        'wallet spent them, it lies: `lifeboat exit <position> --unsafe-maybe-spent`\n',
    )
  }
  const tries = [
    ...positions.map((position) => ({
      name: { position },
      run: async () => [await leave(wallet, { ...options, position })],
    })),
    ...unplaced.map((flight) => ({
      name: { txHash: flight.txHash },
      run: () => leavePayment(wallet, flight, options),
    })),
  ]
  for (const { name, run: tryOne } of tries) {
    try {
      for (const one of await tryOne()) {
        if ('inFlight' in one) gone.add(one.inFlight.txHash)
        left.push(one)
      }
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      if (error.family === 'retryable' && !OF_ONE.includes(error.code)) throw error
      if (error.code === 'NOTHING_LEAVES' && gone.has(String(error.details['txHash']))) continue
      io.err(`${'position' in name ? `output ${name.position}` : `payment ${name.txHash}`}: ${error.message}\n`)
      failed.push({ ...name, error: errorToJson(error) })
    }
  }
  return { left, failed }
}

async function report({ wallet, io }: Session, { left, failed }: Outcome) {
  const { timestamp } = await wallet.root.now()
  const started: StartedExit[] = []
  const inFlight: InFlightExit[] = []
  for (const one of left) {
    if ('standard' in one) started.push(one.standard)
    else inFlight.push(one.inFlight)
  }
  for (const { warnings } of [...started, ...inFlight]) for (const warning of warnings) io.err(`warning: ${warning}\n`)
  const text = [
    ...started.map((exit) => describeStarted(wallet, exit, timestamp)),
    ...inFlight.map((exit) => describeInFlight(wallet, exit, timestamp)),
  ]
  return {
    json: { started, inFlight, choices: left.map(({ choice }) => choice), failed },
    text: `${text.length === 0 && failed.length === 0 ? 'nothing to exit\n' : text.join('')}${failed.length === 0 ? '' : `${failed.length} could not leave, for the reasons given\n`}`,
  }
}

type Wallet = Session['wallet']

function describeStarted({ tokens }: Wallet, { exit, outlook, provenBy }: StartedExit, now: number): string {
  return [
    `exit of ${tokens.describe(exit.token, exit.amount)} started (output ${exit.position}, proven by ${provenBy})`,
    `  may be challenged until ${formatTime(outlook.evidenceUntil, now)}`,
    `  payable after           ${formatTime(outlook.payableAfter, now)}; then \`lifeboat process\``,
    `  bond                    ${tokens.describe(ETH, exit.bond)}, comes back but the bounty\n`,
  ].join('\n')
}

function describeInFlight({ tokens }: Wallet, left: InFlightExit, now: number): string {
  const { how, txHash, dispute, outlook, exits, inputExits, answeredAt } = left
  const leaving = [...exits, ...inputExits.map(({ exit }) => exit)]
  return [
    `in-flight exit of payment ${txHash}: ${how === 'started' ? 'its dispute is started' : 'joined its dispute'}`,
    ...leaving.map(
      (exit) => `  leaves      ${tokens.describe(exit.token, exit.amount)}, bond ${tokens.describe(ETH, exit.bond)}`,
    ),
    ...(leaving.length === 0 ? ['  leaves      nothing of yours; the verdict decides about your inputs'] : []),
    ...(answeredAt === undefined ? [] : [`  shown       its inclusion at position ${answeredAt}`]),
    `  now         ${outlook.words}`,
    `  other spends can be shown until ${formatTime(outlook.competitorsUntil, now)}`,
    `  inclusions can be shown until   ${formatTime(outlook.answersUntil, now)}`,
    `  verdict after                   ${formatTime(outlook.verdictAfter, now)}; then \`lifeboat process\``,
    ...(how === 'started'
      ? [`  bond        ${tokens.describe(ETH, dispute.dispute.bond)}, comes back with the verdict`]
      : []),
    '',
  ].join('\n')
}

function whichOutput(count: number) {
  return configError('OUTPUT_NOT_NAMED', 'which output?', {
    got: count === 0 ? 'no output, no payment and not --all' : 'more than one of them',
    want: 'a position, the hash of a payment, --in-flight, or --all',
  })
}

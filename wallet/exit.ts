/**
 * Leaving (docs/spec.md section 5.3): the exit of one output, started only after its proof was checked against L1, with a bond that
 * leaves room for a rising base fee, and refused where the owner would lose that bond.
 */
import { encodeStartDepositExit, encodeStartStandardExit, type RootCall } from '../l1/rootCalls.ts'
import { type Hash, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { invalid, isLifeboatError, retryable } from '../protocol/errors.ts'
import { type Exit, maturityOf } from '../protocol/exit.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import { listCoins } from './balance.ts'
import type { WalletContext } from './context.ts'
import { type ExitOutlook, exitOutlook, findExit, findYoungHint } from './exits.ts'
import { findBatches, findEntries, namedOf, noteMassExits, timesOf } from './massExits.ts'
import { obtainExitData, type ProvenExitData } from './proofs.ts'

/** Of the least bond, in percent. All of it comes back but the bounty for processing, a sixth to a seventh. */
export const BOND_PERCENT = 150n
/** Gas that starting an exit may take with the deepest proof; what is kept aside for it. */
const START_GAS = 250_000n

export type ExitOptions = Readonly<{
  position: number
  /** Go on although the output looks spent, or a payment that spends it is unanswered: the bond may be lost. */
  unsafeMaybeSpent?: boolean
  /** First child block that a watcher holds for withheld or invalid. */
  suspectBlock?: number
  /** Start it although a mass exit holds a place for the output that comes no later. */
  secondPlace?: boolean
  /** Own payments that do not count as spends: those whose dispute runs, or was judged not canonical. */
  refuted?: readonly Hash[]
}>

export type StartedExit = Readonly<{
  exit: Exit
  outlook: ExitOutlook
  txHash?: Hash
  /** Whose exit data was used. */
  provenBy: string
  warnings: readonly string[]
}>

/**
 * Starts the exit and waits until it is on L1. Throws EXIT_DATA_MISSING, NOT_OWNER, OUTPUT_VOID, EXIT_EXISTS, PLACE_HELD, OUTPUT_SPENT,
 * ETHER_TOO_LOW, and what the outbox throws.
 */
export async function startExit(wallet: WalletContext, options: ExitOptions): Promise<StartedExit> {
  const { position } = options
  const { root, store, account } = wallet
  wallet.report('getting and checking the exit data')
  const proven = await obtainExitData(wallet, position)
  const { outputId, owner } = proven.output
  if (owner !== account.address)
    throw invalid('NOT_OWNER', 'this output is not yours', { got: account.address, want: owner })
  await refuseUseless(wallet, outputId, position)
  if (proven.data.kind === 'transaction') await refuseRefuted(wallet, proven.data.txHash)
  const held = await refuseHeld(wallet, proven, options)
  const warnings = [...held, ...(await refuseSpent(wallet, options)), ...warnYoung(options)]
  const bondWei = await fundedBond(wallet)
  // An exit that was removed as void or invalid may start again: that is another act.
  const before = await root.events({ types: ['ExitStarted'], outputId })

  store.saveExit({ outputId, owner, position })
  wallet.report('starting the exit on L1')
  const done = await wallet
    .send({
      key: `exit:${outputId}${before.length === 0 ? '' : `:${before.length}`}`,
      purpose: `start the exit of output ${position}`,
      call: encodeStart(proven, bondWei, await findYoungHint(root, decodePosition(position).block)),
      doneErrors: ['AlreadyExiting'],
    })
    .catch((error: unknown) => {
      if (isLifeboatError(error) && error.family === 'invalid') store.removeExit(outputId)
      throw error
    })
  const known = await findExit(root, outputId)
  if (!known) {
    throw retryable('EXIT_VANISHED', 'the exit was mined, and L1 does not show it now; it is not lost', {
      got: done.txHash,
      want: 'an exit on record: the same command again goes on with what was sent, so that it stands once',
    })
  }
  const outlook = exitOutlook(known, root.parameters, await root.now(), await root.head())
  return { exit: known.exit, outlook, provenBy: proven.from, warnings, ...(done.txHash ? { txHash: done.txHash } : {}) }
}

function encodeStart({ data, output }: ProvenExitData, bondWei: bigint, youngHint: number): RootCall {
  const { position, token, amount } = output
  if (data.kind === 'deposit') return encodeStartDepositExit({ position, token, amount, bondWei })
  const { transaction, header, proof } = data
  return encodeStartStandardExit({ position, shown: { transaction, header, proof }, bondWei, youngHint })
}

async function refuseUseless({ root }: WalletContext, outputId: Hash, position: number): Promise<void> {
  const [{ voidFrom }, { state }] = [await root.head(), await root.exitRecord(outputId)]
  const { block } = decodePosition(position)
  if (voidFrom !== 0 && block >= voidFrom && !isDepositPosition(position)) {
    throw invalid('OUTPUT_VOID', 'the chain was halted below this output, it is void', {
      got: `an output of block ${block}`,
      want: `an output of a block below ${voidFrom}; exit what you owned then`,
    })
  }
  if (state === 'none' || state === 'locked') return
  throw invalid('EXIT_EXISTS', `this output's exit is ${state}`, {
    got: state,
    want: `an output without an exit; see \`lifeboat explain exit ${position}\``,
  })
}

/** Outputs of a transaction that was judged not canonical never leave. */
async function refuseRefuted({ root }: WalletContext, txHash: Hash): Promise<void> {
  if ((await root.disputeRecord(txHash)).verdict !== 'not-canonical') return
  throw invalid(
    'OUTPUT_REFUTED',
    'the payment that made this output was judged not canonical: it counts as never included',
    {
      got: txHash,
      want: 'exits of its inputs, by their owners',
    },
  )
}

/**
 * A mass exit that was locked holds a place for the output, paid without a bond of its own: a second exit costs one and gains something only
 * where its place comes earlier.
 */
async function refuseHeld(
  wallet: WalletContext,
  proven: ProvenExitData,
  { secondPlace = false }: ExitOptions,
): Promise<string[]> {
  const { root } = wallet
  await noteMassExits(wallet)
  const naming = findEntries(await findBatches(root), namedOf(proven))
  if (naming.length === 0) return []
  const [{ timestamp }, head] = [await root.now(), await root.head()]
  const own = maturityOf(timestamp, root.parameters.minExitPeriod, proven.output.madeAt).exitableAt
  const warnings: string[] = []
  for (const { known } of naming) {
    const { payable, lockUntil } = timesOf(known, root, head)
    const name = `mass exit ${known.id.slice(0, 10)}`
    if (known.stage === 'started' || known.stage === 'demanded') {
      warnings.push(
        `${name} names this output and will hold a place for it once it is locked, by ${lockUntil} (L1 seconds) or never`,
      )
    } else if (known.item && own < known.item.exitableAt) {
      warnings.push(
        `${name} holds a place for this output, payable after ${payable} (L1 seconds); this exit comes earlier`,
      )
    } else if (secondPlace) {
      warnings.push(
        `${name} holds a place for this output that comes no later: this exit costs a bond and gains nothing`,
      )
    } else {
      throw invalid(
        'PLACE_HELD',
        `${name} holds a place for this output already, and a second exit would come no earlier`,
        {
          got: { exitableAt: own, bondWei: await root.exitBond() },
          want: `nothing: it is payable after ${payable} (L1 seconds), then \`lifeboat claim ${proven.output.position}\`; --second-place starts an exit all the same`,
          batchId: known.id,
          payableAfter: payable,
        },
      )
    }
  }
  return warnings
}

/** An exit of a spent output is challenged, and the bond is gone. */
async function refuseSpent(
  wallet: WalletContext,
  { position, unsafeMaybeSpent = false, refuted = [] }: ExitOptions,
): Promise<string[]> {
  const { store, account } = wallet
  const reasons: string[] = []
  for (const state of ['accepted', 'sent', 'rejected'] as const) {
    const spend = store
      .payments(account.address, state)
      .find(({ txHash, signed }) => !refuted.includes(txHash) && signed.transaction.inputs.includes(position))
    if (spend) reasons.push(`your payment ${spend.txHash} (${state}) spends it`)
  }
  if (store.openSwaps(account.address).some(({ role, inputs }) => role === 'taker' && inputs.includes(position))) {
    reasons.push('a swap that you accepted spends it: its maker may complete it at any time')
  }
  const listed = await listCoins(wallet).catch((error: unknown) => {
    if (isLifeboatError(error)) return undefined
    throw error
  })
  // A refuted spend is what the operator holds to have spent it.
  if (refuted.length === 0 && listed && !listed.some((coin) => coin.position === position))
    reasons.push('the operator does not list it as unspent')
  if (reasons.length === 0 || unsafeMaybeSpent) return reasons
  throw invalid(
    'OUTPUT_SPENT',
    'this output is spent, or may be: an exit of it would be challenged and its bond lost',
    {
      got: reasons,
      want: 'an unspent output (cancel a swap first, `lifeboat swap cancel`); with --unsafe-maybe-spent the exit is started all the same',
    },
  )
}

function warnYoung({ position, suspectBlock }: ExitOptions): string[] {
  const { block } = decodePosition(position)
  if (suspectBlock === undefined || isDepositPosition(position) || block < suspectBlock) return []
  return [
    `block ${suspectBlock} is withheld or invalid and this output (block ${block}) is not older: its exit has its turn after those of ` +
      'all older outputs, and is void if the chain is halted at that block',
  ]
}

async function fundedBond(wallet: WalletContext): Promise<bigint> {
  const bondWei = withHeadroom(await wallet.root.exitBond())
  await requireEther(wallet, { bondWei, exitBondWei: bondWei, gas: START_GAS })
  return bondWei
}

/** A bond with room for a rising base fee. */
export function withHeadroom(leastWei: bigint): bigint {
  return (leastWei * BOND_PERCENT) / 100n
}

/** Throws ETHER_TOO_LOW unless the account can pay what it posts, and the gas. */
export async function requireEther(
  { root, account, tokens }: WalletContext,
  { bondWei, exitBondWei, gas }: Readonly<{ bondWei: bigint; exitBondWei: bigint; gas: bigint }>,
): Promise<void> {
  // An exit's bond is a fixed amount of gas at the base fee, so it also says what gas costs.
  const want = bondWei + (exitBondWei * gas) / 400_000n
  const got = await root.etherOf(account.address)
  if (got >= want) return
  throw invalid('ETHER_TOO_LOW', 'not enough ETH on L1 for the bonds and the transaction', {
    got: tokens.describe(ZERO_ADDRESS, got),
    want: tokens.describe(ZERO_ADDRESS, want),
    bondWei,
    account: account.address,
  })
}

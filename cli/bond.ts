/**
 * lifeboat bond: what the operator has at stake on L1 (docs/spec.md section 8.7): show it, add to it, take it back at the end. Everything
 * that L1 would refuse is refused before it is sent.
 */
import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { iLifeboatAbi, iSuretyAbi } from '../contracts/artifacts.generated.ts'
import { readHeader } from '../l1/blocks.ts'
import { loggingContracts } from '../l1/deployment.ts'
import { connectEndpoint } from '../l1/endpoint.ts'
import { readContract } from '../l1/reads.ts'
import { encodePostBond, encodeTakeBond } from '../l1/suretyContract.ts'
import type { Address } from '../protocol/bytes.ts'
import { invalid, isLifeboatError, retryable } from '../protocol/errors.ts'
import { boolean } from '../service/configTypes.ts'
import { formatAmount, parseAmount } from '../wallet/amounts.ts'
import type { WalletContext } from '../wallet/context.ts'
import { configureOutput } from './command.ts'
import { type CliIo, formatTable, formatTime } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'
import type { Session } from './walletSession.ts'

const ETHER_DECIMALS = 18

export type Bond = Readonly<{
  surety: Address
  operator: Address
  bondWei: bigint
  /** Below it L1 takes no blocks. */
  leastWei: bigint
  missingWei: bigint
  isBonded: boolean
  /** First void block, 0 while the chain is live. */
  voidFrom: number
  /** The lowest halt that was slashed for, 0 for none. */
  slashedFrom: number
  /** A halt has voided blocks, and nobody has reported it to the surety. */
  isSlashDue: boolean
  /** L1 seconds: when time is past this, the operator may take it back. Left out while the chain is live. */
  takeableAfter?: number
}>

/** All of it at one L1 block. */
export async function readBond({ wallet, deployment, config }: Session): Promise<Bond> {
  const endpoint = await connectEndpoint({ url: config.l1Url, expectedChainId: deployment.chainId })
  const at = await readHeader(endpoint, 'latest')
  if (!at) throw retryable('HEAD_MISSING', 'the L1 endpoint has no latest block', { got: null, want: 'a block' })
  const surety = suretyOf(deployment)
  const root = { address: wallet.root.address, abi: iLifeboatAbi }
  const book = await readContract(endpoint, { address: surety, abi: iSuretyAbi, functionName: 'surety' }, at)
  const [bondWei, leastWei, slashedFrom] = book
  const head = await readContract(endpoint, { ...root, functionName: 'head' }, at)
  const [voidFrom, , newestTime, , , , lastMove] = head
  const operator = await readContract(endpoint, { ...root, functionName: 'operator' }, at)
  const isBonded = await readContract(endpoint, { ...root, functionName: 'isBonded' }, at)
  return {
    surety,
    operator: operator as Address,
    bondWei,
    leastWei,
    missingWei: bondWei < leastWei ? leastWei - bondWei : 0n,
    isBonded,
    voidFrom,
    slashedFrom,
    isSlashDue: lastMove !== 0 && (slashedFrom === 0 || voidFrom < slashedFrom),
    ...(voidFrom === 0 ? {} : { takeableAfter: newestTime + 2 * wallet.root.parameters.minExitPeriod }),
  }
}

export function createBondCommand(io: CliIo): Command {
  const command = configureOutput(
    new Command('bond').description('The operator’s bond on L1: show it, post to it, take it back at the end'),
    io,
  )
  return command.addCommand(showCommand(io)).addCommand(postCommand(io)).addCommand(takeCommand(io))
}

const runningEntry = {
  unsafeRunning: {
    kind: boolean(),
    default: false,
    describe: 'Go on although something answers as the operator: two programs must never send with one key',
  },
} as const

function showCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'show',
    describe: 'What the operator has at stake, the least that L1 wants, what was slashed',
    entries: {},
    sign: false,
    isForAll: () => true,
    run: async (session) => {
      const bond = await readBond(session)
      const { timestamp } = await session.wallet.root.now()
      return { json: bond, text: describeBond(bond, timestamp) }
    },
  })
}

function postCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'post',
    describe: 'Add to the bond, with any key. Only the operator ever gets it back',
    words: { '[amount]': 'ETH, such as 1.5; what is missing when left out' },
    entries: runningEntry,
    sign: true,
    examples: ['lifeboat bond post --account treasury', 'lifeboat bond post 32 --account treasury'],
    run: async (session, [text], { unsafeRunning }) => {
      const { wallet } = session
      const before = await readBond(session)
      if (before.voidFrom !== 0) throw halted(before)
      const amountWei = text === undefined ? before.missingWei : parseAmount(text, ETHER_DECIMALS)
      if (amountWei === 0n) throw nothingMissing(before, text)
      await requireEther(wallet, amountWei)
      await refuseSharedKey(wallet, before, unsafeRunning)
      if (wallet.account.address !== before.operator) {
        io.err(`only the operator, ${before.operator}, ever gets this back\n`)
      }
      const { txHash } = await wallet.send({
        key: `bond:post:${randomUUID()}`,
        purpose: `post ${formatEther(amountWei)} to the operator's bond`,
        call: encodePostBond(amountWei),
        to: before.surety,
      })
      const bond = await readBond(session)
      const { timestamp } = await wallet.root.now()
      return {
        json: { postedWei: amountWei, txHash: txHash ?? null, bond },
        text: `posted ${formatEther(amountWei)}\n${describeBond(bond, timestamp)}`,
      }
    },
  })
}

function takeCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'take',
    describe: 'With the operator’s key: take back what is left, 2 MEP after the newest block of a chain that has ended',
    entries: runningEntry,
    sign: true,
    examples: ['lifeboat bond take --account operator'],
    run: async (session, _words, { unsafeRunning }) => {
      const { wallet } = session
      const before = await readBond(session)
      const { timestamp } = await wallet.root.now()
      assertTakeable(before, wallet.account.address, timestamp)
      await refuseSharedKey(wallet, before, unsafeRunning)
      const { txHash } = await wallet.send({
        key: `bond:take:${randomUUID()}`,
        purpose: "take the operator's bond back",
        call: encodeTakeBond(),
        to: before.surety,
      })
      return {
        json: { takenWei: before.bondWei, txHash: txHash ?? null },
        text: `took ${formatEther(before.bondWei)} back to ${before.operator}\n`,
      }
    },
  })
}

/** Throws NOT_OPERATOR, BOND_KEPT (retryable while only time is missing), BOND_EMPTY. */
export function assertTakeable(bond: Bond, account: Address, now: number): void {
  if (account !== bond.operator) {
    throw invalid('NOT_OPERATOR', 'only the operator’s key may do this', { got: account, want: bond.operator })
  }
  if (bond.takeableAfter === undefined) {
    throw invalid('BOND_KEPT', 'the bond stays while the chain is live', {
      got: 'a live chain',
      want: 'an ended one: `lifeboat close`',
    })
  }
  if (bond.bondWei === 0n) {
    throw invalid('BOND_EMPTY', 'there is nothing left to take', { got: formatEther(0n), want: 'a bond' })
  }
  if (bond.isSlashDue) {
    throw invalid('BOND_KEPT', 'a slash is due: the chain was halted and nobody has reported it to the surety', {
      got: `void from block ${bond.voidFrom}`,
      want: 'slashForHalt of the surety, which anyone may call',
    })
  }
  if (now <= bond.takeableAfter) {
    throw retryable('BOND_KEPT', 'the bond stays for 2 MEP after the newest block', {
      got: formatTime(now),
      want: `after ${formatTime(bond.takeableAfter, now)}`,
    })
  }
}

export function describeBond(bond: Bond, now: number): string {
  const { missingWei, takeableAfter } = bond
  const standing = missingWei === 0n ? 'suffices' : `${formatEther(missingWei)} missing: L1 takes no blocks`
  const end =
    takeableAfter === undefined
      ? 'when the chain has ended, 2 MEP after its newest block'
      : bond.isSlashDue
        ? 'not before the halt is reported to the surety, which slashes it'
        : `after ${formatTime(takeableAfter, now)}`
  return formatTable([
    ['bond', `${formatEther(bond.bondWei)}, ${bond.voidFrom === 0 ? standing : 'the chain has ended'}`],
    ['least', formatEther(bond.leastWei)],
    ['slashed for a halt', bond.slashedFrom === 0 ? 'no' : `at block ${bond.slashedFrom}`],
    ['operator', bond.operator],
    ['surety', bond.surety],
    ['comes back', end],
  ])
}

function formatEther(wei: bigint): string {
  return `${formatAmount(wei, ETHER_DECIMALS)} ETH`
}

/** Throws DEPLOYMENT_MALFORMED. */
function suretyOf(deployment: Session['deployment']): Address {
  return (loggingContracts(deployment)[1] as Readonly<{ address: Address }>).address
}

async function requireEther({ root, account }: WalletContext, amountWei: bigint): Promise<void> {
  const got = await root.etherOf(account.address)
  if (got > amountWei) return
  throw invalid('ETHER_TOO_LOW', 'the account has too little ETH on L1', {
    got: formatEther(got),
    want: `${formatEther(amountWei)} and the gas`,
    account: account.address,
  })
}

/** The operator program keeps the nonces of its key: a second sender would make it lose a submission. */
async function refuseSharedKey({ child, account }: WalletContext, { operator }: Bond, unsafe: boolean): Promise<void> {
  if (unsafe || account.address !== operator) return
  const status = await child.status().catch((error: unknown) => {
    if (isLifeboatError(error)) return undefined
    throw error
  })
  if (!status) return
  throw invalid('OPERATOR_RUNS', 'the operator program is running, and sends with this key', {
    got: `it answers, with blocks up to ${status.committed} on L1`,
    want: 'another key (posting is open to all), or a stopped operator',
  })
}

function halted({ voidFrom }: Bond) {
  return invalid('CHAIN_HALTED', 'the chain has ended: a bond is of no use to it any more', {
    got: `void from block ${voidFrom}`,
    want: 'a chain that is live',
  })
}

function nothingMissing({ bondWei }: Bond, text: string | undefined) {
  return text === undefined
    ? invalid('BOND_SUFFICES', 'nothing is missing', { got: formatEther(bondWei), want: 'an amount, to add more' })
    : invalid('AMOUNT_INVALID', 'not an amount to post', { got: text, want: 'more than 0' })
}

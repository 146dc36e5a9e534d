/**
 * What the operator's key may do besides submitting blocks (docs/spec.md sections 8.1 and 8.4): hand itself on, in two steps, and end the
 * chain in order. Everything that L1 would refuse is refused before it is sent.
 */
import { type Abi, encodeFunctionData } from 'viem'
import { iLifeboatAbi } from '../contracts/artifacts.generated.ts'
import { encodeCloseChain, type RootCall } from '../l1/rootCalls.ts'
import type { Address, Hash } from '../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import { voidableUntil } from '../protocol/exit.ts'
import type { WalletContext } from './context.ts'
import type { RootReads } from './ports.ts'

export type OperatorKeys = Readonly<{
  operator: Address
  /** Nominated and not yet accepted; left out where there is none. */
  nominee?: Address
}>

/** The nominee is known by its event only: L1 keeps it where nobody can read it. */
export async function readOperatorKeys(root: Pick<RootReads, 'operator' | 'events'>): Promise<OperatorKeys> {
  const operator = await root.operator()
  let nominee: Address | undefined
  for (const event of await root.events({ types: ['OperatorNominated', 'OperatorRotated'] })) {
    if (event.type === 'OperatorNominated') nominee = isZero(event.nominee) ? undefined : event.nominee
    if (event.type === 'OperatorRotated') nominee = undefined
  }
  return { operator, ...(nominee === undefined ? {} : { nominee }) }
}

export type KeyAct = Readonly<{
  /** Names this act. */
  key: string
  /** The operator program is known to be stopped, although something answers at its address. */
  unsafeRunning?: boolean
}>

/** By the operator's key; the zero address takes a nomination back. Throws NOT_OPERATOR, NOMINEE_IS_OPERATOR, OPERATOR_RUNS. */
export async function nominateOperator(
  wallet: WalletContext,
  nominee: Address,
  act: KeyAct,
): Promise<{ txHash?: Hash }> {
  const operator = await requireOperator(wallet)
  if (nominee === operator) {
    throw invalid('NOMINEE_IS_OPERATOR', 'this is the operator’s key already', { got: nominee, want: 'another key' })
  }
  await refuseRunning(wallet, act)
  return send(wallet, act, {
    name: 'nominate',
    purpose: `nominate ${nominee} as operator`,
    call: encode('nominateOperator', [nominee]),
  })
}

/** By the nominee's key. Throws NOT_NOMINATED, OPERATOR_RUNS. */
export async function acceptOperator(wallet: WalletContext, act: KeyAct): Promise<{ txHash?: Hash }> {
  const { operator, nominee } = await readOperatorKeys(wallet.root)
  const got = wallet.account.address
  if (nominee !== got) {
    throw invalid('NOT_NOMINATED', 'the operator has not nominated this key', {
      got,
      want: nominee ?? `a nomination by ${operator}: \`lifeboat operator-key nominate ${got}\``,
    })
  }
  await refuseRunning(wallet, act)
  return send(wallet, act, { name: 'accept', purpose: 'become the operator', call: encode('acceptOperator', []) })
}

export type ClosePlan = Readonly<{
  newest: number
  /** L1 seconds: until then a block that turns out invalid can still be voided. */
  voidableUntil: number
  /** L1 seconds: when time is past this, the operator may take its bond back. */
  bondAfter: number
}>

/** What closing would mean now. Throws NOT_OPERATOR, CHAIN_HALTED. */
export async function planClose(wallet: WalletContext): Promise<ClosePlan> {
  const { newest, newestTime, voidFrom } = await wallet.root.head()
  if (voidFrom !== 0) {
    throw invalid('CHAIN_HALTED', 'the chain is halted already: it cannot be closed again', {
      got: `void from block ${voidFrom}`,
      want: 'a chain that is live',
    })
  }
  await requireOperator(wallet)
  const until = voidableUntil(newestTime, wallet.root.parameters.minExitPeriod)
  return { newest, voidableUntil: until, bondAfter: until + wallet.root.parameters.minExitPeriod }
}

/**
 * Ends the chain for ever, after the newest block: nothing is void by it. Throws what planClose throws; OPERATOR_RUNS, since what a running
 * operator promised for blocks that are not on L1 would be lost.
 */
export async function closeChain(wallet: WalletContext, act: KeyAct): Promise<ClosePlan & Readonly<{ txHash?: Hash }>> {
  const plan = await planClose(wallet)
  await refuseRunning(wallet, act)
  const done = await send(wallet, act, { name: 'close', purpose: 'close the chain', call: encodeCloseChain() })
  return { ...plan, newest: (await wallet.root.head()).newest, ...done }
}

async function requireOperator({ root, account }: WalletContext): Promise<Address> {
  const want = await root.operator()
  if (account.address === want) return want
  throw invalid('NOT_OPERATOR', 'only the operator’s key may do this', { got: account.address, want })
}

/** Two programs must not send with one key, and a running operator goes on promising places that another key, or nobody, will submit. */
async function refuseRunning({ child }: WalletContext, { unsafeRunning = false }: KeyAct): Promise<void> {
  if (unsafeRunning) return
  const status = await child.status().catch((error: unknown) => {
    if (isLifeboatError(error)) return undefined
    throw error
  })
  if (!status) return
  throw invalid('OPERATOR_RUNS', 'the operator program is running', {
    got: `it answers, with blocks up to ${status.sealed} cut and ${status.committed} on L1`,
    want: 'a stopped operator, all of whose blocks are on L1',
  })
}

type Act = Readonly<{ name: string; purpose: string; call: RootCall }>

async function send(wallet: WalletContext, { key }: KeyAct, { name, purpose, call }: Act): Promise<{ txHash?: Hash }> {
  const { txHash } = await wallet.send({ key: `operator-key:${name}:${key}`, purpose, call })
  return txHash === undefined ? {} : { txHash }
}

function encode(functionName: string, args: readonly unknown[]): RootCall {
  return { data: encodeFunctionData({ abi: iLifeboatAbi as Abi, functionName, args }), valueWei: 0n }
}

function isZero(address: Address): boolean {
  return /^0x0{40}$/.test(address)
}

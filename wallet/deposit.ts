/**
 * Depositing (docs/spec.md section 1.3): ETH, or an ERC-20 by permit where the token knows permits and by allowance otherwise; then
 * waiting until the operator has credited it. The proof of a deposit is L1 itself, so it is kept at once.
 */
import { encodeFunctionData, erc20Abi } from 'viem'
import { encodeDepositErc20, encodeDepositErc20WithPermit, encodeDepositEth, type Permit } from '../l1/rootCalls.ts'
import { type Address, bytesToHex, type Hash, hexToBytes, ZERO_ADDRESS, ZERO_HASH } from '../protocol/bytes.ts'
import { hashWords, typedDigest } from '../protocol/eip712.ts'
import { invalid, isLifeboatError, retryable } from '../protocol/errors.ts'
import { keccak256Text } from '../protocol/keccak.ts'
import { depositIdOf } from '../protocol/position.ts'
import { createOutput } from '../protocol/transaction.ts'
import { listCoins } from './balance.ts'
import type { WalletContext } from './context.ts'
import type { L1Done } from './ports.ts'

const PERMIT_TYPE = keccak256Text('Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)')
const PERMIT_SECONDS = 3600
const POLL_MS = 500

export type DepositOptions = Readonly<{
  token: Address
  amount: bigint
  /** Who will own it on the child chain; the account itself when left out. */
  owner?: Address
  /** Names this deposit: the same key never deposits twice. */
  key: string
}>

/** `amount`: what arrived, which for a token that takes a fee is less than what was sent. */
export type Deposited = Readonly<{
  position: number
  amount: bigint
  owner: Address
  token: Address
  l1Block: number
  txHash: Hash
}>

/** Deposits and waits until it is mined. Throws ETHER_TOO_LOW, TOKENS_TOO_LOW, and the root contract's errors in words. */
export async function deposit(wallet: WalletContext, options: DepositOptions): Promise<Deposited> {
  const { token, amount } = options
  const owner = options.owner ?? wallet.account.address
  await refusePoor(wallet, token, amount)
  wallet.report('depositing on L1')
  const done =
    token === ZERO_ADDRESS ? await depositEther(wallet, options, owner) : await depositToken(wallet, options, owner)
  const event = done.events.find((one) => one.type === 'Deposited')
  if (event?.type !== 'Deposited') {
    throw invalid('DEPOSIT_VANISHED', 'the deposit was sent and L1 shows no deposit', {
      got: done.txHash,
      want: 'a Deposited event',
    })
  }
  const { position, at } = event
  const output = createOutput(event.owner, token, event.amount)
  const outputId = depositIdOf(position)
  if (event.owner === wallet.account.address) {
    wallet.store.saveProof({
      output: { position, outputId, owner, token, amount: event.amount },
      data: { kind: 'deposit', position, outputId, output: { ...output, condition: ZERO_HASH }, l1Block: at.l1Block },
    })
  }
  return { position, amount: event.amount, owner, token, l1Block: at.l1Block, txHash: at.txHash }
}

/** Waits until the operator lists the deposit as spendable. Throws retryable WAIT_TIMEOUT. */
export async function waitForCredit(wallet: WalletContext, position: number, timeoutMs: number): Promise<void> {
  const end = wallet.waiting.now() + timeoutMs
  for (let told = false; ; told = true) {
    const coins = await listCoins(wallet)
    if (coins.some((coin) => coin.position === position && coin.state === 'unspent')) return
    if (!told) wallet.report('waiting for the operator to credit the deposit')
    if (wallet.waiting.now() >= end) {
      throw retryable('WAIT_TIMEOUT', 'the operator has not credited the deposit yet', {
        got: position,
        want: 'a spendable output; it is yours in any case: if it never comes, take it back with `lifeboat exit`',
      })
    }
    await wallet.waiting.sleep(POLL_MS)
  }
}

async function depositEther(wallet: WalletContext, { amount, key }: DepositOptions, owner: Address): Promise<L1Done> {
  return wallet.send({
    key: `deposit:${key}`,
    purpose: `deposit ${amount} wei for ${owner}`,
    call: encodeDepositEth(owner, amount),
  })
}

async function depositToken(wallet: WalletContext, options: DepositOptions, owner: Address): Promise<L1Done> {
  const { token, amount, key } = options
  const { root, account } = wallet
  const allowance = await root.token.allowance(token, account.address, root.address)
  const plain = {
    key: `deposit:${key}`,
    purpose: `deposit ${amount} units of ${token} for ${owner}`,
    call: encodeDepositErc20(token, amount, owner),
  }
  if (allowance >= amount) return wallet.send(plain)
  const permit = await signPermit(wallet, token, amount)
  if (permit) {
    try {
      const call = encodeDepositErc20WithPermit(token, amount, owner, permit)
      return await wallet.send({
        key: `deposit-permit:${key}`,
        purpose: `deposit ${amount} units of ${token} for ${owner} by permit`,
        call,
      })
    } catch (error) {
      // A token may have a permit of another kind: what it refuses, it refuses in the simulation, before anything is spent.
      if (!isLifeboatError(error) || error.family !== 'invalid') throw error
      wallet.report('the token refused the permit; approving instead')
    }
  }
  await approve(wallet, options, allowance)
  return wallet.send(plain)
}

async function approve(
  wallet: WalletContext,
  { token, amount, key }: DepositOptions,
  allowance: bigint,
): Promise<void> {
  const { root } = wallet
  const call = (value: bigint) => ({
    data: encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [root.address, value] }),
    valueWei: 0n,
  })
  // Some tokens refuse to change an allowance that is not zero.
  if (allowance > 0n)
    await wallet.send({
      key: `unapprove:${key}`,
      purpose: `reset the allowance of ${token}`,
      call: call(0n),
      to: token,
    })
  await wallet.send({
    key: `approve:${key}`,
    purpose: `allow the deposit of ${amount} units of ${token}`,
    call: call(amount),
    to: token,
  })
}

async function signPermit(wallet: WalletContext, token: Address, amount: bigint): Promise<Permit | undefined> {
  const { root, account } = wallet
  const domain = await root.token.permitDomain(token, account.address)
  if (!domain) return undefined
  const deadline = BigInt((await root.now()).timestamp + PERMIT_SECONDS)
  const struct = hashWords([PERMIT_TYPE, account.address, root.address, amount, domain.nonce, deadline])
  const signature = account.sign(typedDigest(hexToBytes(domain.separator), struct))
  const s = signature.slice(32)
  const v = 27 + ((s[0] as number) >> 7)
  s[0] = (s[0] as number) & 0x7f
  return { deadline, v, r: bytesToHex(signature.subarray(0, 32)), s: bytesToHex(s) }
}

async function refusePoor({ root, account, tokens }: WalletContext, token: Address, amount: bigint): Promise<void> {
  const isEther = token === ZERO_ADDRESS
  const got = isEther ? await root.etherOf(account.address) : await root.token.balanceOf(token, account.address)
  if (got > amount || (!isEther && got === amount)) return
  throw invalid(isEther ? 'ETHER_TOO_LOW' : 'TOKENS_TOO_LOW', 'not enough on L1 to deposit', {
    got: tokens.describe(token, got),
    want: `${tokens.describe(token, amount)}${isEther ? ' and some for gas' : ''}`,
    account: account.address,
    token,
  })
}

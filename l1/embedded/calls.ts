/**
 * Calls that leave no trace (docs/spec.md, "L1", the embedded L1): `eth_call` and the search behind `eth_estimateGas`. Gas is
 * counted as for a transaction: intrinsic cost and EIP-7623 floor included, refunds at most a fifth.
 */
import type { Block } from '@ethereumjs/block'
import { createTx, getCalldataFloorGas, type TypedTransaction } from '@ethereumjs/tx'
import { runTx } from '@ethereumjs/vm'
import { bytesToHex, type Hex, hexToBytes, ZERO_ADDRESS } from '../../protocol/bytes.ts'
import { executionReverted, type RpcError, refused } from './errors.ts'
import type { CallRequest } from './params.ts'
import { quantity } from './records.ts'
import { accountOf, type Machine, toEvmAddress } from './state.ts'

/** What a run came to. `fault` is absent on success; gas is what a transaction would have paid for. */
export interface CallOutcome {
  readonly returnValue: Hex
  readonly fault: RpcError | undefined
  readonly gasUsed: bigint
  /** Gas used before refunds: the least limit with which the same run could have ended. */
  readonly gasPeak: bigint
}

/** Runs the request with `gasLimit` on the state the machine stands on. Throws RpcError when the request itself is impossible. */
export async function runCall(
  machine: Machine,
  block: Block,
  request: CallRequest,
  gasLimit: bigint,
): Promise<CallOutcome> {
  const transaction = intrinsicTransaction(machine, request, gasLimit)
  const minimum = maximum(transaction.getIntrinsicGas(), getCalldataFloorGas(transaction))
  if (gasLimit < minimum) throw refused(`intrinsic gas too low: gas ${gasLimit}, minimum needed ${minimum}`)
  await machine.state.checkpoint()
  try {
    return request.authorizationList === undefined
      ? await runMessage(machine, block, request, transaction)
      : await runDelegating(machine, block, request, transaction)
  } finally {
    await machine.state.revert()
    machine.state.originalStorageCache.clear()
  }
}

/** `eth_call`: the return value. Throws RpcError, with the revert data where there is some. */
export async function call(machine: Machine, block: Block, request: CallRequest, gasCap: bigint): Promise<Hex> {
  const wanted = request.gas ?? gasCap
  const outcome = await runCall(machine, block, request, wanted < gasCap ? wanted : gasCap)
  if (outcome.fault !== undefined) throw outcome.fault
  return outcome.returnValue
}

/**
 * The least gas limit (to within 1.5 %) with which the request succeeds, at most `gasCap`.
 * Throws the fault that the request has even with everything allowed.
 */
export async function estimateGas(
  machine: Machine,
  block: Block,
  request: CallRequest,
  gasCap: bigint,
): Promise<bigint> {
  const cap = await affordableGas(machine, request, request.gas ?? gasCap, gasCap)
  const first = await runCall(machine, block, request, cap)
  if (first.fault !== undefined) throw first.fault
  const succeeds = async (gas: bigint) => (await runCall(machine, block, request, gas)).fault === undefined
  const peak = first.gasPeak < cap ? first.gasPeak : cap
  if (await succeeds(peak)) return peak
  // A call gives at most 63/64 of its gas to the next one, so nested calls need more than they use.
  let low = peak
  let high = cap
  const guess = ((peak + 2300n) * 64n) / 63n
  if (guess < high && (await succeeds(guess))) high = guess
  while ((high - low) * 200n > high * 3n) {
    const middle = low * 2n < (high + low) / 2n ? low * 2n : (high + low) / 2n
    if (await succeeds(middle)) high = middle
    else low = middle
  }
  return high
}

/** The text of `Error(string)` or `Panic(uint256)` revert data; undefined for anything else. */
export function revertReason(data: Uint8Array): string | undefined {
  const selector = bytesToHex(data.subarray(0, 4))
  if (selector === '0x4e487b71' && data.length === 36) return `panic code ${BigInt(bytesToHex(data.subarray(4)))}`
  if (selector !== '0x08c379a0' || data.length < 68) return undefined
  const length = Number(BigInt(bytesToHex(data.subarray(36, 68))))
  return length > data.length - 68 ? undefined : new TextDecoder().decode(data.subarray(68, 68 + length))
}

async function affordableGas(machine: Machine, request: CallRequest, wanted: bigint, gasCap: bigint): Promise<bigint> {
  const limit = wanted < gasCap ? wanted : gasCap
  const price = request.maxFeePerGas ?? request.gasPrice ?? 0n
  if (price === 0n) return limit
  const { balance } = await accountOf(machine.state, request.from ?? ZERO_ADDRESS)
  if (balance < request.value) throw refused('insufficient funds for transfer')
  const allowance = (balance - request.value) / price
  return allowance < limit ? allowance : limit
}

async function runMessage(
  { vm, state }: Machine,
  block: Block,
  request: CallRequest,
  transaction: TypedTransaction,
): Promise<CallOutcome> {
  const caller = toEvmAddress(request.from ?? ZERO_ADDRESS)
  if ((await accountOf(state, request.from ?? ZERO_ADDRESS)).balance < request.value) {
    throw refused('insufficient funds for transfer')
  }
  warm(vm.evm, block, request)
  const intrinsic = transaction.getIntrinsicGas()
  const { execResult } = await vm.evm.runCall({
    block,
    caller,
    origin: caller,
    gasLimit: transaction.gasLimit - intrinsic,
    gasPrice: request.gasPrice ?? request.maxFeePerGas ?? 0n,
    value: request.value,
    data: hexToBytes(request.data),
    ...(request.to !== undefined && { to: toEvmAddress(request.to) }),
  })
  vm.evm.journal.cleanJournal()
  const gasPeak = execResult.executionGasUsed + intrinsic
  const refund = execResult.gasRefund ?? 0n
  const paid = gasPeak - (refund < gasPeak / 5n ? refund : gasPeak / 5n)
  const floor = getCalldataFloorGas(transaction)
  return {
    returnValue: bytesToHex(execResult.returnValue),
    fault: faultOf(execResult),
    gasUsed: maximum(paid, floor),
    gasPeak: maximum(gasPeak, floor),
  }
}

/** With EIP-7702 authorisations the whole transaction is run, since they change code before the call. */
async function runDelegating(
  { vm }: Machine,
  block: Block,
  request: CallRequest,
  transaction: TypedTransaction,
): Promise<CallOutcome> {
  const sender = toEvmAddress(request.from ?? ZERO_ADDRESS)
  transaction.getSenderAddress = () => sender
  try {
    const result = await runTx(vm, {
      tx: transaction,
      block,
      skipBalance: true,
      skipNonce: true,
      skipBlockGasLimitValidation: true,
      skipHardForkValidation: true,
    })
    return {
      returnValue: bytesToHex(result.execResult.returnValue),
      fault: faultOf(result.execResult),
      gasUsed: result.totalGasSpent,
      gasPeak: result.totalGasSpent + result.gasRefund,
    }
  } catch (error) {
    throw refused(error instanceof Error ? (error.message.split(' (')[0] ?? error.message) : String(error))
  }
}

/** A transaction that is never sent: it only knows its intrinsic cost, and the delegating path runs it. */
function intrinsicTransaction({ vm }: Machine, request: CallRequest, gasLimit: bigint): TypedTransaction {
  const common = {
    gasLimit,
    value: request.value,
    data: hexToBytes(request.data),
    ...(request.to !== undefined && { to: hexToBytes(request.to) }),
  }
  const accessList = request.accessList?.map(({ address, storageKeys }) => ({ address, storageKeys: [...storageKeys] }))
  const options = { common: vm.common, freeze: false }
  try {
    if (request.authorizationList !== undefined) {
      const authorizationList = request.authorizationList.map((item) => ({
        chainId: quantity(item.chainId),
        address: item.address,
        nonce: quantity(item.nonce),
        yParity: quantity(item.yParity),
        r: quantity(item.r),
        s: quantity(item.s),
      }))
      const price = request.maxFeePerGas ?? request.gasPrice ?? 0n
      return createTx(
        { type: 4, ...common, accessList: accessList ?? [], authorizationList, maxFeePerGas: price },
        options,
      )
    }
    if (accessList !== undefined) return createTx({ type: 1, ...common, accessList }, options)
    return createTx({ type: 0, ...common }, options)
  } catch (error) {
    throw refused(error instanceof Error ? (error.message.split(' (')[0] ?? error.message) : String(error))
  }
}

function warm(evm: Machine['vm']['evm'], block: Block, request: CallRequest): void {
  const addresses: string[] = [
    ...evm.precompiles.keys(),
    request.from ?? ZERO_ADDRESS,
    block.header.coinbase.toString(),
  ]
  if (request.to !== undefined) addresses.push(request.to)
  for (const address of addresses) evm.journal.addAlwaysWarmAddress(address)
  for (const { address, storageKeys } of request.accessList ?? []) {
    evm.journal.addAlwaysWarmAddress(address)
    for (const key of storageKeys) evm.journal.addAlwaysWarmSlot(address, key)
  }
}

function faultOf(execution: { exceptionError?: { error: string }; returnValue: Uint8Array }): RpcError | undefined {
  const error = execution.exceptionError?.error
  if (error === undefined) return undefined
  if (error !== 'revert') return refused(error === 'insufficient balance' ? 'insufficient funds for transfer' : error)
  return executionReverted(bytesToHex(execution.returnValue), revertReason(execution.returnValue))
}

function maximum(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

/** Base fee for a call's context: zero when the caller offers no price, so that nobody needs funds to read. */
export function callBaseFee(request: CallRequest, baseFeePerGas: bigint): bigint {
  return (request.gasPrice ?? request.maxFeePerGas ?? 0n) === 0n ? 0n : baseFeePerGas
}

/**
 * Accounts, code and storage at any block (docs/spec.md, "L1", the embedded L1). Two machines share one node store: the
 * writer builds blocks, the reader answers calls at the state root of any block. Both are single-file: callers queue.
 */
import type { Common } from '@ethereumjs/common'
import { MerklePatriciaTrie } from '@ethereumjs/mpt'
import { Caches, MerkleStateManager } from '@ethereumjs/statemanager'
import { Account, Address as EvmAddress, ValueEncoding } from '@ethereumjs/util'
import { createVM, type VM } from '@ethereumjs/vm'
import { type Address, bytesToHex, type Hash, hexToBytes } from '../../protocol/bytes.ts'
import { RpcError } from './errors.ts'
import type { NodeDb } from './nodeDb.ts'
import { createQueue } from './queue.ts'

/** A virtual machine over one mutable view of the state. */
export interface Machine {
  readonly vm: VM
  readonly state: MerkleStateManager
}

/** Hash of the canonical block at a height, for BLOCKHASH. Called for heights below the block in execution only. */
export type BlockHashOf = (number: number) => Hash | undefined

export async function createMachine(rules: Common, nodes: NodeDb, blockHashOf: BlockHashOf): Promise<Machine> {
  const trie = new MerklePatriciaTrie({
    useKeyHashing: true,
    common: rules,
    db: nodes,
    valueEncoding: ValueEncoding.Bytes,
  })
  const state = new MerkleStateManager({ common: rules, trie, caches: new Caches() })
  const blockchain = {
    async getBlock(number: number) {
      const hash = blockHashOf(number)
      return { hash: () => (hash === undefined ? new Uint8Array(32) : hexToBytes(hash)) }
    },
    async putBlock() {},
    shallowCopy() {
      return blockchain
    },
  }
  return { vm: await createVM({ common: rules, stateManager: state, blockchain }), state }
}

/** Answers from the state at a root. Nothing a reading does survives it. */
export interface StateReader {
  /** Runs `read` on the state at `root`, one reading at a time. Throws what `read` throws. */
  at<T>(root: Hash, read: (machine: Machine) => Promise<T>): Promise<T>
  idle(): Promise<void>
}

export function createStateReader(create: () => Promise<Machine>): StateReader {
  const queue = createQueue()
  let machine: Machine | undefined
  let current: Hash | undefined

  async function machineAt(root: Hash): Promise<Machine> {
    machine ??= await create()
    if (root !== current) {
      current = undefined
      await machine.state.setStateRoot(hexToBytes(root))
      current = root
    }
    machine.vm.evm.journal.cleanJournal()
    return machine
  }

  return {
    at(root, read) {
      return queue.run(async () => {
        try {
          const ready = await machineAt(root)
          await ready.state.checkpoint()
          const result = await read(ready)
          await revert(ready)
          return result
        } catch (error) {
          if (error instanceof RpcError && machine !== undefined) {
            await revert(machine)
          } else {
            // Whatever failed may have left checkpoints open; a new machine has none.
            machine = undefined
            current = undefined
          }
          throw error
        }
      })
    },
    idle: () => queue.idle(),
  }
}

async function revert({ state }: Machine): Promise<void> {
  await state.revert()
  state.originalStorageCache.clear()
}

export function toEvmAddress(address: Address): EvmAddress {
  return new EvmAddress(hexToBytes(address))
}

/** The account as it is, or an empty one. */
export async function accountOf(state: MerkleStateManager, address: Address): Promise<Account> {
  return (await state.getAccount(toEvmAddress(address))) ?? new Account()
}

/** Writes everything out and gives the root. Only outside checkpoints. */
export async function rootOf(state: MerkleStateManager): Promise<Hash> {
  return bytesToHex(await state.getStateRoot())
}

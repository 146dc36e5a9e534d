/**
 * Which Ethereum this is (docs/spec.md, "L1", the embedded L1): Prague from the genesis block on, and the contracts that
 * mainnet has because of it. EIP-7002, EIP-7251 and the deposit contract have no meaning without a beacon chain and are left
 * out, so a block never carries requests.
 */
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import type { Address, Hex } from '../../protocol/bytes.ts'
import { nativeCrypto } from './crypto.ts'

/** EIP-2935: the parent hash of block n is in slot (n - 1) mod 8191. */
export const HISTORY_CONTRACT: Address = '0x0000f90827f1c53a10cb7a02335b175320002935'
export const HISTORY_WINDOW = 8191
/** EIP-4788: timestamps and beacon roots, two rings of 8191 slots. The root is always zero here. */
export const BEACON_ROOTS_CONTRACT: Address = '0x000f3df6d732807ef1319fb7b8bb8522d0beac02'
export const BEACON_ROOTS_WINDOW = 8191

/** A contract that exists from block 0. Nonce 1, no storage. */
export interface GenesisContract {
  readonly address: Address
  readonly code: Hex
}

/** Bytecode as the EIPs print it; the last is the deterministic deployment proxy that common tools expect to find. */
export const GENESIS_CONTRACTS: readonly GenesisContract[] = [
  {
    address: HISTORY_CONTRACT,
    code: '0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500',
  },
  {
    address: BEACON_ROOTS_CONTRACT,
    code: '0x3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500',
  },
  {
    address: '0x4e59b44847b379578588920ca78fbf26c0b4956c',
    code: '0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3',
  },
]

/** Prague rules at every block and time, so that chain time is free to start and travel anywhere. */
export function createRules(chainId: number): Common {
  const upToPrague = Mainnet.hardforks.slice(
    0,
    Mainnet.hardforks.findIndex((fork) => fork.name === Hardfork.Prague) + 1,
  )
  return new Common({
    chain: {
      ...Mainnet,
      name: 'lifeboat-embedded',
      chainId,
      hardforks: upToPrague
        .filter((fork) => fork.name !== Hardfork.Dao)
        .map((fork) =>
          fork.timestamp === undefined ? { name: fork.name, block: 0 } : { name: fork.name, block: null, timestamp: 0 },
        ),
    },
    hardfork: Hardfork.Prague,
    customCrypto: nativeCrypto,
  })
}

/** Which key a command means: by name, by address, or the only one there is. */
import { join } from 'node:path'
import { type Address, parseAddress } from '../protocol/bytes.ts'
import { configError } from '../protocol/errors.ts'
import type { ConfigOf } from '../service/config.ts'
import type { StoredKey } from '../wallet/keys.ts'
import type { keyEntries } from './walletConfig.ts'

export function keystoreOf({ keystore, dataDir }: Pick<ConfigOf<typeof keyEntries>, 'keystore' | 'dataDir'>): string {
  return keystore ?? join(dataDir, 'keys')
}

/** An address, or the name of a key in the keystore. Throws ADDRESS_INVALID. */
export function parseParty(text: string, keys: readonly StoredKey[]): Address {
  return keys.find(({ name }) => name === text)?.address ?? parseAddress(text)
}

/** The key that `account` names: its name or address, or the only one. Throws KEY_MISSING (config) with those there are. */
export function findKey(keys: readonly StoredKey[], account: string | undefined, keystore: string): StoredKey {
  const wanted = account?.toLowerCase()
  const found =
    account === undefined ? keys : keys.filter(({ name, address }) => name === account || address === wanted)
  const [key] = found
  if (key && found.length === 1) return key
  const names = keys.map(({ name, address }) => (name === address ? address : `${name} (${address})`))
  throw configError('KEY_MISSING', account === undefined && key ? 'several keys, and none was named' : 'no such key', {
    got: account ?? names,
    want:
      names.length === 0
        ? `a key in ${keystore}; make one with \`lifeboat keys new\``
        : `--account with one of: ${names.join(', ')}`,
  })
}

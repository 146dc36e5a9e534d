/** Which key a command means: by name, by address, or the only one there is. */
import { join } from 'node:path'
import { type Address, parseAddress } from '../protocol/bytes.ts'
import { configError, invalid } from '../protocol/errors.ts'
import type { ConfigOf } from '../service/config.ts'
import type { StoredKey } from '../wallet/keys.ts'
import type { keyEntries } from './walletConfig.ts'

export function keystoreOf({ keystore, dataDir }: Pick<ConfigOf<typeof keyEntries>, 'keystore' | 'dataDir'>): string {
  return keystore ?? join(dataDir, 'keys')
}

/** An address, or the name of a key in the keystore. Throws PARTY_UNKNOWN, and ADDRESS_INVALID for what begins as an address. */
export function parseParty(text: string, keys: readonly StoredKey[]): Address {
  const key = keys.find(({ name }) => name === text)
  if (key) return key.address
  if (/^0x/i.test(text)) return parseAddress(text)
  const names = keys.map(({ name }) => name).join(', ')
  throw invalid('PARTY_UNKNOWN', 'neither an address nor the name of a key', {
    got: text,
    want: `0x and 40 hexadecimal digits${names === '' ? '' : `, or one of ${names}`}`,
  })
}

/** The key that `account` names: its name or address, or the only one. Throws KEY_MISSING (config) with those there are. */
export function findKey(keys: readonly StoredKey[], account: string | undefined, keystore: string): StoredKey {
  const wanted = account?.toLowerCase()
  const found =
    account === undefined ? keys : keys.filter(({ name, address }) => name === account || address === wanted)
  const [key] = found
  if (key && found.length === 1) return key
  const want =
    keys.length === 0
      ? `a key in ${keystore}; make one with \`lifeboat keys new\``
      : `--account with the name or address of one of: ${keys.map(({ name }) => name).join(', ')}`
  if (account !== undefined) throw configError('KEY_MISSING', 'no such key', { got: account, want })
  throw configError('KEY_MISSING', 'a key has to be named', { got: `${keys.length} keys and no --account`, want })
}

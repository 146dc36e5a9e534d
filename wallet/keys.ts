/**
 * Encrypted key files (docs/guide-wallet.md, "Keys"): Web3 Secret Storage version 3, the format that other Ethereum wallets read and
 * write. A key exists in clear only in memory; passwords are arguments here and never come from flags (cli/password.ts).
 */
import { createCipheriv, createDecipheriv, pbkdf2, randomBytes, randomUUID, scrypt } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { scrypt as scryptInWasm } from 'hash-wasm'
import { z } from 'zod'
import { type Address, bytesToHex, concatBytes, equalBytes, hexToBytes, parseAddress } from '../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import { keccak256 } from '../protocol/keccak.ts'
import { type Account, createAccount } from './account.ts'

/** `standard` takes about a second and 256 MiB; `light` is for development networks, whose keys are worth nothing. */
export type KeyStrength = 'standard' | 'light'

const SCRYPT_COST: Readonly<Record<KeyStrength, Readonly<{ n: number; r: number; p: number }>>> = {
  standard: { n: 2 ** 18, r: 8, p: 1 },
  light: { n: 2 ** 12, r: 8, p: 1 },
}
const KEY_NAME = /^[A-Za-z0-9_-]{1,64}$/
/** Memory that reading somebody's key file may cost. */
const MAX_SCRYPT_BYTES = 2 ** 30
const MAX_PBKDF2_ROUNDS = 10_000_000

const hexText = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`))
const scryptParams = z.object({
  dklen: z.literal(32),
  n: z.int().min(2),
  r: z.int().min(1),
  p: z.int().min(1).max(64),
  salt: z.string().regex(/^([0-9a-fA-F]{2})+$/),
})
const pbkdf2Params = z.object({
  dklen: z.literal(32),
  c: z.int().min(1).max(MAX_PBKDF2_ROUNDS),
  prf: z.literal('hmac-sha256'),
  salt: z.string().regex(/^([0-9a-fA-F]{2})+$/),
})
const keyFileSchema = z.object({
  version: z.literal(3),
  id: z.string(),
  address: z
    .string()
    .regex(/^(0x)?[0-9a-fA-F]{40}$/)
    .optional(),
  crypto: z.intersection(
    z.object({
      cipher: z.literal('aes-128-ctr'),
      cipherparams: z.object({ iv: hexText(16) }),
      ciphertext: hexText(32),
      mac: hexText(32),
    }),
    z.discriminatedUnion('kdf', [
      z.object({ kdf: z.literal('scrypt'), kdfparams: scryptParams }),
      z.object({ kdf: z.literal('pbkdf2'), kdfparams: pbkdf2Params }),
    ]),
  ),
})
export type KeyFile = z.infer<typeof keyFileSchema>

/** A key file found in a directory. `path` is absolute if the directory was; `name` is the file's without .json. */
export type StoredKey = Readonly<{ address: Address; path: string; name: string }>

export type KeyOptions = Readonly<{
  /** Default standard. */
  strength?: KeyStrength
  /** What people call the key; the address when left out. */
  name?: string
}>

/** A new random key, encrypted and written. Throws like importKey. */
export async function createKey(directory: string, password: string, options?: KeyOptions): Promise<StoredKey> {
  return importKey(directory, randomBytes(32), password, options)
}

/**
 * Encrypts a private key of 32 bytes into a new file, mode 0600. Throws KEY_EXISTS when the directory has that address or name already,
 * KEY_INVALID, KEY_NAME_INVALID.
 */
export async function importKey(
  directory: string,
  privateKey: Uint8Array,
  password: string,
  { strength = 'standard', name }: KeyOptions = {},
): Promise<StoredKey> {
  const { address } = createAccount(privateKey)
  const called = name ?? address
  if (!KEY_NAME.test(called)) {
    throw invalid('KEY_NAME_INVALID', 'not a name for a key', {
      got: name,
      want: 'letters, digits, - and _, at most 64',
    })
  }
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const known = (await listKeys(directory)).find((key) => key.address === address || key.name === called)
  if (known)
    throw invalid('KEY_EXISTS', 'the keystore has this key or name already', { got: known.path, want: 'another' })
  const path = join(directory, `${called}.json`)
  const file = await encryptKey(privateKey, password, strength)
  await writeFile(path, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  return { address, path, name: called }
}

/** Takes 64 digits in any casing, with or without 0x. Throws KEY_INVALID, which says nothing of the text: it may be a key with a slip. */
export function parsePrivateKey(text: string): Uint8Array {
  if (/^(0x)?[0-9a-fA-F]{64}$/.test(text)) return fromBare(text.replace(/^0x/, ''))
  throw invalid('KEY_INVALID', 'not a private key', { got: `${text.length} characters`, want: '64 hexadecimal digits' })
}

/** The keys of a directory by address. A directory that does not exist holds none; files that are no key files are left out. */
export async function listKeys(directory: string): Promise<StoredKey[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const keys: StoredKey[] = []
  for (const name of names.sort()) {
    const path = join(directory, name)
    const text = await readFile(path, 'utf8').catch(() => '')
    const address = addressIn(text)
    if (address) keys.push({ address, path, name: name.replace(/\.json$/, '') })
  }
  return keys
}

/**
 * Reads and decrypts one key file; the password is asked for when the file is there and well-formed. Throws KEY_FILE_MISSING,
 * KEY_FILE_INVALID or PASSWORD_WRONG, each with the path, and what `ask` throws.
 */
export async function unlockKey(path: string, ask: () => Promise<string> | string): Promise<Account> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw invalid('KEY_FILE_MISSING', 'cannot read the key file', { got: path, want: 'a readable key file' }, cause)
  })
  const withPath = (error: unknown) => {
    if (!isLifeboatError(error)) throw error
    throw invalid(error.code, error.message, { ...error.details, path }, error)
  }
  const file = await Promise.resolve(text).then(parseKeyFile).catch(withPath)
  const password = await ask()
  return createAccount(await decryptKey(file, password).catch(withPath))
}

/** Throws KEY_FILE_INVALID with what is wrong. */
export function parseKeyFile(text: string): KeyFile {
  const parsed = keyFileSchema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  const got = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`).join('; ')
  throw invalid('KEY_FILE_INVALID', 'not a key file', { got, want: 'Web3 Secret Storage version 3' })
}

export async function encryptKey(
  privateKey: Uint8Array,
  password: string,
  strength: KeyStrength = 'standard',
): Promise<KeyFile> {
  const { address } = createAccount(privateKey)
  const salt = bare(randomBytes(32))
  const iv = randomBytes(16)
  const kdfparams = { dklen: 32 as const, ...SCRYPT_COST[strength], salt }
  const derived = await deriveKey({ kdf: 'scrypt', kdfparams }, password)
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const ciphertext = concatBytes(cipher.update(privateKey), cipher.final())
  return {
    version: 3,
    id: randomUUID(),
    address: address.slice(2),
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: bare(iv) },
      ciphertext: bare(ciphertext),
      mac: bare(macOf(derived, ciphertext)),
      kdf: 'scrypt',
      kdfparams,
    },
  }
}

/** The private key, 32 bytes. Throws PASSWORD_WRONG; KEY_FILE_INVALID when the file names another address than its key has. */
export async function decryptKey(file: KeyFile, password: string): Promise<Uint8Array> {
  const { crypto } = file
  const derived = await deriveKey(crypto, password)
  const ciphertext = fromBare(crypto.ciphertext)
  if (!equalBytes(macOf(derived, ciphertext), fromBare(crypto.mac))) {
    throw invalid('PASSWORD_WRONG', 'the password does not open this key file', {
      want: 'the password it was encrypted with',
    })
  }
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), fromBare(crypto.cipherparams.iv))
  const privateKey = concatBytes(decipher.update(ciphertext), decipher.final())
  const { address } = createAccount(privateKey)
  const named = file.address && parseAddress(withPrefix(file.address))
  if (named && named !== address) {
    throw invalid('KEY_FILE_INVALID', 'the key file names another address', { got: named, want: address })
  }
  return privateKey
}

async function deriveKey(crypto: Pick<KeyFile['crypto'], 'kdf' | 'kdfparams'>, password: string): Promise<Uint8Array> {
  const secret = password.normalize('NFC')
  if (crypto.kdf === 'pbkdf2') {
    const { c, salt } = crypto.kdfparams as z.infer<typeof pbkdf2Params>
    return promisify(pbkdf2)(secret, fromBare(salt), c, 32, 'sha256')
  }
  const { n, r, p, salt } = crypto.kdfparams as z.infer<typeof scryptParams>
  const memory = 128 * n * r
  if (memory > MAX_SCRYPT_BYTES || (n & (n - 1)) !== 0) {
    throw invalid('KEY_FILE_INVALID', 'impossible scrypt parameters', {
      got: { n, r },
      want: 'n a power of two, n * r at most 2^23',
    })
  }
  // OpenSSL refuses the small block sizes that some old wallets used.
  if (n >= 2 ** (16 * r)) {
    const options = { password: secret, salt: fromBare(salt), costFactor: n, blockSize: r, parallelism: p }
    return scryptInWasm({ ...options, hashLength: 32, outputType: 'binary' })
  }
  return deriveByScrypt(secret, fromBare(salt), { N: n, r, p, maxmem: memory + 128 * r * p + 2 ** 20 })
}

function deriveByScrypt(
  secret: string,
  salt: Uint8Array,
  options: Readonly<{ N: number; r: number; p: number; maxmem: number }>,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, 32, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

function macOf(derived: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return keccak256(concatBytes(derived.subarray(16, 32), ciphertext))
}

function addressIn(text: string): Address | undefined {
  const parsed = keyFileSchema.safeParse(parseJson(text))
  return parsed.success && parsed.data.address ? parseAddress(withPrefix(parsed.data.address)) : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function bare(bytes: Uint8Array): string {
  return bytesToHex(bytes).slice(2)
}

function fromBare(hex: string): Uint8Array {
  return hexToBytes(`0x${hex.toLowerCase()}`)
}

function withPrefix(address: string): string {
  return address.startsWith('0x') ? address : `0x${address}`
}

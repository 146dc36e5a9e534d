/** Key files: others' files open here, ours round-trip, and nothing opens with the wrong password. */
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesToHex, hexToBytes } from '../../protocol/bytes.ts'
import { isLifeboatError } from '../../protocol/errors.ts'
import { createAccount } from '../../wallet/account.ts'
import { createKey, decryptKey, encryptKey, importKey, listKeys, parseKeyFile, unlockKey } from '../../wallet/keys.ts'

const keys = suite('key files')

/** The two examples of the Web3 Secret Storage definition. */
const SECRET = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
const PASSWORD = 'testpassword'
const SCRYPT_EXAMPLE = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262144,
      p: 8,
      r: 1,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}
const PBKDF2_EXAMPLE = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}

const directory = () => mkdtemp(join(tmpdir(), 'lifeboat-keys-'))

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    if (isLifeboatError(error)) return error.code
    throw error
  }
  return 'no error'
}

keys('opens the examples of the format, scrypt and pbkdf2', async () => {
  for (const example of [SCRYPT_EXAMPLE, PBKDF2_EXAMPLE]) {
    const file = parseKeyFile(JSON.stringify(example))
    assert.is(bytesToHex(await decryptKey(file, PASSWORD)), SECRET)
    assert.is(await codeOf(() => decryptKey(file, 'testpasswort')), 'PASSWORD_WRONG')
  }
})

keys('writes what it can read again, readable by the owner only', async () => {
  const path = await directory()
  const made = await importKey(path, hexToBytes(SECRET), 'pass word', { strength: 'light', name: 'alice' })
  assert.is(made.address, '0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b')
  assert.is(made.name, 'alice')
  assert.equal(await listKeys(path), [made])
  assert.is((await stat(made.path)).mode & 0o777, 0o600)
  assert.is((await unlockKey(made.path, () => 'pass word')).address, made.address)
  assert.not.match(await readFile(made.path, 'utf8'), SECRET.slice(2))
})

keys('a new key is another one each time', async () => {
  const path = await directory()
  const [one, two] = [
    await createKey(path, 'a', { strength: 'light' }),
    await createKey(path, 'a', { strength: 'light' }),
  ]
  assert.is.not(one.address, two.address)
  assert.is((await listKeys(path)).length, 2)
})

keys('refuses to write the same key twice', async () => {
  const path = await directory()
  await importKey(path, hexToBytes(SECRET), 'a', { strength: 'light' })
  assert.is(
    await codeOf(() => importKey(path, hexToBytes(SECRET), 'b', { strength: 'light', name: 'other' })),
    'KEY_EXISTS',
  )
})

keys('names the file when the password is wrong or the file is damaged', async () => {
  const path = await directory()
  const made = await createKey(path, 'right', { strength: 'light' })
  assert.is(await codeOf(() => unlockKey(made.path, () => 'wrong')), 'PASSWORD_WRONG')
  await writeFile(made.path, 'not json')
  const neverAsked = (): string => {
    throw new Error('a password was asked for')
  }
  assert.is(await codeOf(() => unlockKey(made.path, neverAsked)), 'KEY_FILE_INVALID')
  assert.is(await codeOf(() => unlockKey(join(path, 'nothing'), neverAsked)), 'KEY_FILE_MISSING')
})

keys('passes on what the question for the password throws', async () => {
  const made = await createKey(await directory(), 'right', { strength: 'light' })
  const refusal = new Error('no terminal')
  const thrown = await unlockKey(made.path, () => Promise.reject(refusal)).catch((error: unknown) => error)
  assert.is(thrown, refusal)
})

keys('refuses a file that names another address than its key has', async () => {
  const file = await encryptKey(hexToBytes(SECRET), 'a', 'light')
  assert.is(await codeOf(() => decryptKey({ ...file, address: '11'.repeat(20) }, 'a')), 'KEY_FILE_INVALID')
})

keys('refuses a file whose parameters would take all memory', async () => {
  const huge = structuredClone(SCRYPT_EXAMPLE)
  huge.crypto.kdfparams.n = 2 ** 30
  assert.is(await codeOf(() => decryptKey(parseKeyFile(JSON.stringify(huge)), PASSWORD)), 'KEY_FILE_INVALID')
  const endless = structuredClone(PBKDF2_EXAMPLE)
  endless.crypto.kdfparams.c = 1e9
  assert.is(await codeOf(() => parseKeyFile(JSON.stringify(endless))), 'KEY_FILE_INVALID')
})

keys('refuses keys that are no keys', async () => {
  for (const key of [new Uint8Array(31), new Uint8Array(32), new Uint8Array(32).fill(0xff)]) {
    assert.is(await codeOf(() => createAccount(key)), 'KEY_INVALID')
  }
})

keys('an account that is printed or logged does not show its key', () => {
  const account = createAccount(hexToBytes(SECRET))
  assert.not.match(JSON.stringify(account), /7a28|122/)
  assert.not.match(inspect(account), /7a 28|7a28|122/)
})

keys.run()

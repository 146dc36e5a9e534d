/** lifeboat keys: encrypted key files. */

import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { defineConfig } from '../service/config.ts'
import { choice, path, secretFile, text } from '../service/configTypes.ts'
import {
  createKey,
  decryptKey,
  importKey,
  type KeyOptions,
  listKeys,
  parseKeyFile,
  parsePrivateKey,
  type StoredKey,
} from '../wallet/keys.ts'
import { configureOutput, createCommand } from './command.ts'
import { type CliIo, formatTable, toJson } from './io.ts'
import { keystoreOf } from './keystore.ts'
import { readFirstLine, readNewPassword, readPassword } from './password.ts'
import { jsonEntry, keyEntries, walletEntries } from './walletConfig.ts'

const makeEntries = {
  name: {
    kind: text({ pattern: /^[A-Za-z0-9_-]{1,64}$/, want: 'letters, digits, - and _' }),
    optional: true,
    describe: 'What to call the key',
  },
  strength: {
    kind: choice(['standard', 'light']),
    default: 'standard',
    describe: 'light is for development networks only',
  },
} as const

export function createKeysCommand(io: CliIo): Command {
  const command = new Command('keys').description('Encrypted key files (Web3 Secret Storage)')
  return configureOutput(command, io)
    .addCommand(newCommand(io))
    .addCommand(importCommand(io))
    .addCommand(listCommand(io))
}

function newCommand(io: CliIo): Command {
  const table = defineConfig({
    program: 'new',
    describe: 'Make a new key',
    entries: { ...makeEntries, ...keyEntries, ...jsonEntry },
  })
  return createCommand(io, {
    table,
    alsoInFile: walletEntries,
    run: async ({ config }) => {
      const password = await readNewPassword(io, config.passwordFile)
      show(io, await createKey(keystoreOf(config), password, optionsOf(config)), config.json)
    },
  })
}

function importCommand(io: CliIo): Command {
  const table = defineConfig({
    program: 'import',
    describe: 'Take over a key: a key file of another wallet, or a private key from a file or standard input',
    entries: {
      from: { kind: path(), optional: true, describe: 'Key file of another wallet' },
      fromPasswordFile: {
        kind: secretFile(),
        optional: true,
        describe: 'File with its password; asked for when left out',
      },
      privateKeyFile: {
        kind: secretFile(),
        optional: true,
        describe: 'File with the private key, 0x and 64 digits; standard input when both are left out',
      },
      ...makeEntries,
      ...keyEntries,
      ...jsonEntry,
    },
    rules: [
      ({ from, privateKeyFile }) =>
        from !== undefined && privateKeyFile !== undefined
          ? { key: 'from', got: 'both', want: 'a key file or a private key' }
          : undefined,
    ],
  })
  return createCommand(io, {
    table,
    alsoInFile: walletEntries,
    run: async ({ config }) => {
      const key =
        config.from === undefined
          ? await readPrivateKey(io, config.privateKeyFile?.read())
          : await openKeyFile(io, config.from, config)
      const password = await readNewPassword(io, config.passwordFile)
      show(io, await importKey(keystoreOf(config), key, password, optionsOf(config)), config.json)
    },
  })
}

function listCommand(io: CliIo): Command {
  const table = defineConfig({ program: 'list', describe: 'List the keys', entries: { ...keyEntries, ...jsonEntry } })
  return createCommand(io, {
    table,
    alsoInFile: walletEntries,
    run: async ({ config }) => {
      const keys = await listKeys(keystoreOf(config))
      if (config.json) return io.out(toJson(keys))
      const rows = keys.map(({ name, address, path: file }) => [name === address ? '-' : name, address, file])
      io.out(rows.length === 0 ? `no keys in ${keystoreOf(config)}\n` : formatTable(rows))
    },
  })
}

async function readPrivateKey(io: CliIo, given: string | undefined): Promise<Uint8Array> {
  const typed = given ?? (io.isInteractive ? await io.askSecret('Private key: ') : await readFirstLine(io.stdin))
  return parsePrivateKey(typed)
}

async function openKeyFile(
  io: CliIo,
  file: string,
  config: { fromPasswordFile: { path: string; read(): string } | undefined },
): Promise<Uint8Array> {
  const password = await readPassword(io, config.fromPasswordFile, `Password of ${file}: `)
  return decryptKey(parseKeyFile(await readFile(file, 'utf8')), password)
}

function optionsOf({ name, strength }: { name: string | undefined; strength: 'standard' | 'light' }): KeyOptions {
  return { strength, ...(name === undefined ? {} : { name }) }
}

function show(io: CliIo, key: StoredKey, json: boolean): void {
  io.out(
    json
      ? toJson(key)
      : `${key.address}\n${key.path}\nKeep a copy of this file and the password: nobody can restore either.\n`,
  )
}

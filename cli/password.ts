/** Passwords (docs/guide-wallet.md, "Keys"): from a file that is named, or asked for at the keyboard. Never a flag, never the environment. */
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { configError } from '../protocol/errors.ts'
import type { SecretFile } from '../service/configTypes.ts'
import type { CliIo } from './io.ts'

/** Throws PASSWORD_MISSING when there is no file and nobody to ask. */
export async function readPassword(io: CliIo, file: SecretFile | undefined, question: string): Promise<string> {
  if (file) return file.read()
  if (io.isInteractive) return io.askSecret(question)
  throw configError('PASSWORD_MISSING', 'a password is needed and nobody is here to type it', {
    got: 'no password file and no terminal',
    want: '--password-file <file>, or LIFEBOAT_PASSWORD_FILE=<file>',
  })
}

/** For a new key: typed twice. Throws PASSWORD_MISMATCH. */
export async function readNewPassword(io: CliIo, file: SecretFile | undefined): Promise<string> {
  const password = await readPassword(io, file, 'New password: ')
  if (file || password === (await io.askSecret('The same again: '))) return password
  throw configError('PASSWORD_MISMATCH', 'the two passwords differ', {
    got: 'two different ones',
    want: 'the same twice',
  })
}

/** The first line of a stream, without its line end. For private keys on standard input. */
export async function readFirstLine(stream: Readable): Promise<string> {
  const lines = createInterface({ input: stream })
  for await (const line of lines) {
    lines.close()
    return line.trim()
  }
  return ''
}

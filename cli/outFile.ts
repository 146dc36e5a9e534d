/** Files that a command writes at its end: looked at before it does anything that can't be had again. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { configError } from '../protocol/errors.ts'

/** `flag`: which option named the file. Throws (config) OUT_NOT_WRITABLE. */
export function assertWritable(flag: string, file: string): void {
  const isThere = existsSync(file)
  try {
    if (isThere && statSync(file).isDirectory()) throw new Error('a directory')
    accessSync(isThere ? file : dirname(file), constants.W_OK)
  } catch (cause) {
    const want = 'a file in a directory that exists and may be written to'
    throw configError('OUT_NOT_WRITABLE', `${flag} can not be written; nothing was done`, { got: file, want }, cause)
  }
}

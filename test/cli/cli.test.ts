/** The command line without a network: arguments, exit codes, keys, errors in words. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findError, listErrors } from '../../cli/errorBook.ts'
import { exitCodeOf } from '../../cli/exitCodes.ts'
import { iLifeboatAbi, iSuretyAbi } from '../../contracts/artifacts.generated.ts'
import { bug, configError, invalid, retryable } from '../../protocol/errors.ts'
import { lifeboat } from './fakeIo.ts'

const cli = suite('command line')

function home() {
  const dir = mkdtempSync(join(tmpdir(), 'lifeboat-cli-'))
  const passwordFile = join(dir, 'password')
  writeFileSync(passwordFile, 'correct horse\n')
  return { dir, passwordFile, flags: ['--data-dir', dir, '--password-file', passwordFile] }
}

cli('lists its commands and exit codes, and ends with 0', async () => {
  const { code, out } = await lifeboat(['--help'])
  assert.is(code, 0)
  for (const word of ['devnet', 'send', 'mandate', 'Exit codes', 'run it again later']) assert.match(out, word)
  assert.not.match(out, '[words')
})

cli('ends with 2 for an unknown command, word or flag, and says what was wrong', async () => {
  for (const argv of [
    ['sned'],
    ['send'],
    ['send', 'bob'],
    ['balance', '--colour'],
    ['explain'],
    ['keys', 'forge'],
    ['balance', '--timeout', 'soon'],
  ]) {
    const { code, err } = await lifeboat(argv)
    assert.is(code, 2, argv.join(' '))
    assert.ok(err.length > 0)
  }
  assert.match((await lifeboat(['send', 'bob'])).err, "missing required argument 'amount'")
})

cli('reports every problem of the configuration at once', async () => {
  const { err } = await lifeboat(['balance', '--timeout', 'soon', '--l1-url', 'nowhere', '--budget', 'much'])
  for (const key of ['timeout', 'l1Url', 'budget']) assert.match(err, key)
})

cli('takes a flag before the environment, and the environment before the file', async () => {
  const { dir } = home()
  const file = join(dir, 'config.json')
  writeFileSync(file, JSON.stringify({ dataDir: join(dir, 'file'), json: true }))
  const seen = async (argv: string[], env: Record<string, string>) =>
    (await lifeboat(['balance', ...argv], { env })).err
  assert.match(await seen(['--config', file], {}), join(dir, 'file'))
  assert.match(await seen(['--config', file], { LIFEBOAT_DATA_DIR: join(dir, 'env') }), join(dir, 'env'))
  const flag = ['--config', file, '--data-dir', join(dir, 'flag')]
  assert.match(await seen(flag, { LIFEBOAT_DATA_DIR: join(dir, 'env') }), join(dir, 'flag'))
})

cli('says where it looked for a deployment and what to do, as text and as JSON', async () => {
  const { flags } = home()
  const { code, err } = await lifeboat(['balance', ...flags])
  assert.is(code, 2)
  assert.match(err, 'lifeboat devnet')
  const json = JSON.parse((await lifeboat(['balance', '--json', ...flags])).err)
  assert.is(json.error.code, 'DEPLOYMENT_MISSING')
  assert.ok(json.error.got && json.error.want)
})

cli('makes, lists and imports keys, and never prints one', async () => {
  const { flags, dir } = home()
  const made = JSON.parse(
    (await lifeboat(['keys', 'new', '--name', 'alice', '--strength', 'light', '--json', ...flags])).out,
  )
  assert.is(made.name, 'alice')
  const secret = '7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
  const imported = await lifeboat(['keys', 'import', '--strength', 'light', ...flags], { stdin: `${secret}\n` })
  assert.is(imported.code, 0, imported.err)
  assert.match(imported.out, '0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b')
  assert.not.match(imported.out + imported.err, secret)
  assert.is(JSON.parse((await lifeboat(['keys', 'list', '--json', ...flags])).out).length, 2)
  assert.is(readdirSync(join(dir, 'keys')).length, 2)
})

cli('takes over a key file of another wallet with its own password', async () => {
  const [from, to] = [home(), home()]
  const made = JSON.parse((await lifeboat(['keys', 'new', '--strength', 'light', '--json', ...from.flags])).out)
  const argv = [
    'keys',
    'import',
    '--from',
    made.path,
    '--from-password-file',
    from.passwordFile,
    '--strength',
    'light',
    '--json',
  ]
  assert.is(JSON.parse((await lifeboat([...argv, ...to.flags])).out).address, made.address)
})

cli('a private key with a slip is not shown in the error', async () => {
  const { flags } = home()
  const { code, err } = await lifeboat(['keys', 'import', ...flags], { stdin: `0x${'ab'.repeat(31)}zz\n` })
  assert.is(code, 1)
  assert.not.match(err, 'abab')
})

cli('asks twice for the password of a new key, and refuses two different ones', async () => {
  const { dir } = home()
  const argv = ['keys', 'new', '--strength', 'light', '--data-dir', dir]
  assert.is((await lifeboat(argv, { answers: ['one', 'two'] })).code, 2)
  assert.is((await lifeboat(argv, { answers: ['one', 'one'] })).code, 0)
})

cli('needs a password file where nobody can be asked', async () => {
  const { dir } = home()
  const { code, err } = await lifeboat(['keys', 'new', '--data-dir', dir])
  assert.is(code, 2)
  assert.match(err, '--password-file')
})

cli('maps every family of errors to its exit code', () => {
  assert.is(exitCodeOf(invalid('A', 'a')), 1)
  assert.is(exitCodeOf(configError('A', 'a')), 2)
  assert.is(exitCodeOf(retryable('A', 'a')), 3)
  assert.is(exitCodeOf(bug('A', 'a')), 4)
  assert.is(exitCodeOf(new Error('a')), 4)
})

cli('explains every error that the surety can give', () => {
  const names = iSuretyAbi.filter((entry) => entry.type === 'error').map((entry) => (entry as { name: string }).name)
  assert.ok(names.length > 15)
  assert.equal(
    names.filter((name) => !['surety', 'root contract'].includes(findError(name)?.kind ?? '')),
    [],
  )
})

cli('explains every error that the root contract can give', () => {
  const names = iLifeboatAbi.filter((entry) => entry.type === 'error').map((entry) => (entry as { name: string }).name)
  assert.ok(names.length > 30)
  const unknown = names.filter(
    (name) => findError(name)?.kind !== 'root contract' && name.startsWith('Reentrancy') === false,
  )
  assert.equal(
    unknown.filter((name) => !/^(SafeERC20|ReentrancyGuard|AddressEmpty|FailedCall)/.test(name)),
    [],
  )
})

cli('explains a code in any casing, and refuses one that is not in the book', async () => {
  assert.match((await lifeboat(['explain', 'error', 'input_locked'])).out, 'V6')
  assert.match((await lifeboat(['explain', 'error', 'BondTooSmall'])).out, 'exitBond')
  assert.match((await lifeboat(['explain', 'error', 'BLOCK_WITHHELD'])).out, 'Leave')
  assert.is((await lifeboat(['explain', 'error', 'NOPE'])).code, 1)
  assert.equal(JSON.parse((await lifeboat(['explain', 'error', '--json'])).out), listErrors())
})

cli('says once what was got and wanted of an error that is told on with its details', () => {
  const first = invalid('A', 'no such thing', { got: 1n, want: ['2', 3] })
  assert.is(invalid('A', first.message, { ...first.details, more: 4 }).message, 'no such thing, got 1, want ["2",3]')
  assert.is(retryable('B', first.message, { got: 5 }).message, `${first.message}, got 5`)
})

cli('says that EXIT_VANISHED is not the end: what happens next, and what to do', async () => {
  const { out } = await lifeboat(['explain', 'error', 'EXIT_VANISHED'])
  for (const words of ['not lost', 'sends it anew', 'Give the same command again']) assert.match(out, words)
})

cli('runs as a program', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'cli/lifeboat.ts', 'explain', 'error', 'NOPE', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let err = ''
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  assert.is(code, 1)
  assert.is(JSON.parse(err).error.code, 'ERROR_UNKNOWN')
})

cli.run()

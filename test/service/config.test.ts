import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isLifeboatError } from '../../protocol/errors.ts'
import { type ConfigProblem, defineConfig, readConfig, unsafeKeys, wantsHelp } from '../../service/config.ts'
import { configHelp, configMarkdown, printConfig } from '../../service/configText.ts'
import * as kinds from '../../service/configTypes.ts'

const config = suite<{ directory: string; file(content: unknown): string }>('config')

config.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'lifeboat-config-'))
  context.file = (content) => {
    const file = join(context.directory, 'config.json')
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
    return file
  }
})
config.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }))

const table = defineConfig({
  program: 'lifeboat operator',
  describe: 'Runs a child chain.',
  entries: {
    l1Url: { kind: kinds.url(), describe: 'JSON-RPC endpoint of L1' },
    peers: { kind: kinds.list(kinds.url()), default: [], describe: 'watchers to fetch from' },
    port: { kind: kinds.port(), default: 4000, describe: 'where to listen' },
    graceSeconds: { kind: kinds.seconds({ min: 1 }), default: 60, describe: 'patience' },
    graceMaxSeconds: { kind: kinds.seconds(), default: 3600, describe: 'the end of patience' },
    feeWei: { kind: kinds.wei(), default: 0n, describe: 'fee' },
    mode: { kind: kinds.choice(['fast', 'safe']), default: 'safe', describe: 'mode' },
    verbose: { kind: kinds.boolean(), default: false, describe: 'more lines' },
    keyFile: { kind: kinds.secretFile(), optional: true, describe: 'private key' },
    unsafeNoBond: { kind: kinds.boolean(), default: false, describe: 'runs without a bond' },
  },
  rules: [
    ({ graceSeconds, graceMaxSeconds }) =>
      graceSeconds <= graceMaxSeconds
        ? undefined
        : { key: 'graceSeconds', got: graceSeconds, want: `at most graceMaxSeconds, ${graceMaxSeconds}` },
  ],
})
const L1 = ['--l1-url', 'http://localhost:8545']

function problems(argv: readonly string[], env: Record<string, string> = {}): readonly ConfigProblem[] {
  try {
    readConfig(table, { argv, env })
  } catch (error) {
    assert.ok(isLifeboatError(error) && error.code === 'CONFIG_INVALID', String(error))
    const found = error.details['problems'] as ConfigProblem[]
    for (const { key } of found) assert.match(error.message, key)
    return found
  }
  throw new Error('no problem was found')
}

config('flag beats environment beats file beats default', ({ file }) => {
  const path = file({ port: 1, mode: 'fast', graceSeconds: 7 })
  const env = { LIFEBOAT_PORT: '2', LIFEBOAT_MODE: 'safe', LIFEBOAT_CONFIG: path }
  const { config, from } = readConfig(table, { argv: [...L1, '--port', '3'], env })
  assert.is(config.port, 3)
  assert.is(config.mode, 'safe')
  assert.is(config.graceSeconds, 7)
  assert.is(config.feeWei, 0n)
  assert.equal(
    [from.port, from.mode, from.graceSeconds, from.feeWei, from.keyFile],
    ['--port', 'LIFEBOAT_MODE', path, 'default', 'nowhere'],
  )
})

config('all problems come at once, each with its key, what was got and where from', ({ file }) => {
  const path = file({ mode: 'slow', prot: 1 })
  const found = problems(['--config', path, '--port=70000', '--vebose', 'stray'], { LIFEBOAT_FEE_WEI: '1.5' })
  const brief = found.map(({ key, got, from }) => [key, got, from])
  assert.equal(brief, [
    ['--vebose', 'an unknown flag', undefined],
    ['stray', 'a word', undefined],
    ['prot', 'an unknown key', path],
    ['l1Url', 'nothing', 'nowhere'],
    ['port', '70000', '--port'],
    ['feeWei', '1.5', 'LIFEBOAT_FEE_WEI'],
    ['mode', 'slow', path],
  ])
  assert.match(found[0]!.want, 'did you mean --verbose?')
  assert.match(found[2]!.want, 'did you mean port?')
})

config('rules over several keys speak in the same list', () => {
  assert.equal(problems([...L1, '--grace-seconds', '2h']), [
    { key: 'graceSeconds', got: 7200, want: 'at most graceMaxSeconds, 3600' },
  ])
})

config('a flag given twice, without its value, or with a value it does not take is refused', () => {
  assert.is(problems([...L1, '--port', '1', '--port', '2'])[0]?.got, '--port twice')
  assert.is(problems([...L1, '--mode'])[0]?.got, '')
  assert.is(problems([...L1, '--verbose=maybe'])[0]?.got, 'maybe')
})

config('switches turn on, off, and by value', () => {
  const verbose = (...argv: string[]) => readConfig(table, { argv: [...L1, ...argv], env: {} }).config.verbose
  assert.equal(
    [verbose(), verbose('--verbose'), verbose('--no-verbose'), verbose('--verbose=true')],
    [false, true, false, true],
  )
})

config('a missing, broken or wrong-shaped file is one of the problems', ({ file }) => {
  assert.match(String(problems([...L1, '--config', '/nowhere.json'])[0]?.got), 'ENOENT')
  assert.is(problems([...L1, '--config', file('{"port": ')])[0]?.want, 'a readable file of JSON')
  assert.is(problems([...L1, '--config', file([])])[0]?.want, 'one JSON object')
})

config('an empty variable counts as not set', () => {
  assert.is(readConfig(table, { argv: L1, env: { LIFEBOAT_PORT: '' } }).config.port, 4000)
})

config('a private key given instead of its file is never shown', () => {
  const key = `0x${'ab'.repeat(32)}`
  const found = problems(['--key-file', key])
  assert.not.match(JSON.stringify(found), 'abab')
})

config('keys inside URLs appear neither in problems nor in the printed configuration', () => {
  const secretUrl = 'https://user:hunter2@rpc.example/v3/SECRETKEY'
  assert.not.match(JSON.stringify(problems(['--l1-url', `ftp${secretUrl.slice(5)}`])), /hunter2|SECRETKEY/)
  const reading = readConfig(table, { argv: ['--l1-url', secretUrl, '--peers', `${secretUrl},http://b`], env: {} })
  assert.not.match(printConfig(table, reading), /hunter2|SECRETKEY/)
  assert.match(printConfig(table, reading), 'l1Url = https://rpc.example/... (--l1-url)')
})

config('a secret is read from its file, trimmed, and the file may hold nothing else', ({ directory }) => {
  const file = join(directory, 'key')
  writeFileSync(file, '  0xfeed\n')
  const { config } = readConfig(table, { argv: [...L1, '--key-file', file], env: {} })
  assert.is(config.keyFile?.read(), '0xfeed')
  assert.not.match(JSON.stringify(config.keyFile), 'feed')
  writeFileSync(file, '\n')
  assert.throws(() => config.keyFile?.read(), /is empty/)
})

config('unsafe keys in use are listed, untouched ones are not', () => {
  assert.equal(unsafeKeys(table, readConfig(table, { argv: L1, env: {} })), [])
  assert.equal(unsafeKeys(table, readConfig(table, { argv: [...L1, '--unsafe-no-bond'], env: {} })), ['unsafeNoBond'])
})

config('help and docs name every key with its default, and unsafe ones apart', () => {
  const help = configHelp(table)
  assert.match(help, /--grace-seconds <seconds> +patience \(default 60s\)/)
  assert.match(help, /--l1-url <url> +JSON-RPC endpoint of L1 \(required\)/)
  assert.ok(help.indexOf('Unsafe options') < help.indexOf('--unsafe-no-bond'))
  const rows = configMarkdown(table)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  assert.is(rows.length, Object.keys(table.entries).length)
  assert.match(configMarkdown(table), '| `feeWei` | `--fee-wei` | `LIFEBOAT_FEE_WEI` |')
  assert.ok(wantsHelp({ argv: ['--port', '1', '--help'] }))
})

config('amounts are exact to the wei, and refused where they would be rounded', () => {
  const { parse } = kinds.wei()
  assert.is(parse('0.05 ether'), 5n * 10n ** 16n)
  assert.is(parse('2 gwei'), 2_000_000_000n)
  assert.is(parse('1000000000000000000000'), 10n ** 21n)
  for (const wrong of ['1.5', '0.0000000001 gwei', '-1', '1e18', '', ' 1', '1 eth', 0.5, 2 ** 60, null]) {
    assert.is(parse(wrong), undefined, String(wrong))
  }
})

config('durations, integers and lists accept their own texts only', () => {
  assert.equal(['90', '90s', '15m', '12h', '7d', 90].map(kinds.seconds().parse), [90, 90, 900, 43_200, 604_800, 90])
  for (const wrong of ['-1', '1.5h', 'h', '1 h', '999999999d', true]) assert.is(kinds.seconds().parse(wrong), undefined)
  for (const wrong of ['0x10', '1e3', '', ' 1', '9007199254740993', 1.5, [1]]) {
    assert.is(kinds.integer().parse(wrong), undefined, String(wrong))
  }
  assert.equal(kinds.list(kinds.integer()).parse('1, 2,'), [1, 2])
  assert.is(kinds.list(kinds.integer()).parse('1,1'), undefined)
  assert.is(kinds.address().parse(`0x${'AB'.repeat(20)}`), `0x${'ab'.repeat(20)}`)
})

config.run()

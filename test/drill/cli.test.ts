/** `lifeboat drill` without playing anything, and one whole run with its files. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DrillRecord } from '../../drill/record.ts'
import { SCENARIOS } from '../../drill/scenarios.ts'
import { lifeboat } from '../cli/fakeIo.ts'

const test = suite('drill: command line')

/** A node of a testnet: it answers who it is and refuses the rest. */
async function withTestnet(act: (url: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (part) => {
      text += String(part)
    })
    request.on('end', () => {
      const { method, id } = JSON.parse(text) as { method: string; id: number }
      const known = method === 'eth_chainId' ? { result: '0xaa36a7' } : { error: { code: -32601, message: 'no' } }
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...known }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('list names every scenario, as text and as JSON', async () => {
  const { code, out } = await lifeboat(['drill', 'list'])
  assert.is(code, 0)
  for (const { name, title } of SCENARIOS)
    assert.match(out, new RegExp(`^${name} +${title.replace(/[()]/g, '.')}`, 'm'))
  const listed = JSON.parse((await lifeboat(['drill', 'list', '--json'])).out) as { name: string; missing: string[] }[]
  assert.equal(
    listed.map(({ name }) => name),
    SCENARIOS.map(({ name }) => name),
  )
  assert.ok(listed.every(({ missing }) => missing.length === 0))
})

test('on an L1 whose time nobody moves only some can be played, and the others are refused before anything is sent', async () =>
  withTestnet(async (url) => {
    const { out } = await lifeboat(['drill', 'list', '--l1', url, '--json'])
    const listed = JSON.parse(out) as { name: string; missing: string[] }[]
    const missing = new Map(listed.map((one) => [one.name, one.missing]))
    assert.equal(missing.get('double-spend'), [])
    assert.equal(missing.get('reorg-exit'), ['time-travel', 'reorgs'])
    const refused = await lifeboat(['drill', 'run', 'reorg-exit', '--l1', url])
    assert.is(refused.code, 2)
    assert.match(refused.err, /DRILL_IMPOSSIBLE_HERE/)
  }))

test('refuses a scenario that it does not know, and numbers of owners that it can not play', async () => {
  const unknown = await lifeboat(['drill', 'run', 'nonsense'])
  assert.is(unknown.code, 2)
  assert.match(unknown.err, /DRILL_UNKNOWN.*withhold-block/)
  const crowded = await lifeboat(['drill', 'run', 'thief', '--owners', '1000'])
  assert.is(crowded.code, 2)
  assert.match(crowded.err, /DRILL_OWNERS.*3 to 40/)
})

test('the rehearsal of a testnet refuses what it can not play before it starts anything', () => {
  for (const [option, value] of [
    ['--seed', 'abc'],
    ['--pace', '0'],
    ['--owners', '0'],
  ] as const) {
    const argv = ['--import', 'tsx', 'bench/testnetDrill.ts', 'thief', option, value]
    const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
    assert.is(status, 1)
    assert.match(stderr, new RegExp(`^${option}: got ${value}, want an integer from`, 'm'))
  }
})

test('run plays, tells what happens as it happens, writes its record, and ends well', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'lifeboat-drill-cli-'))
  const file = join(directory, 'drill.json')
  try {
    const { code, out, err } = await lifeboat(['drill', 'run', 'thief', '--seed', '3', '--owners', '4', '--json', file])
    assert.is(code, 0, `${out}${err.slice(-2_000)}`)
    assert.match(out, /^thief: .*passed/i)
    assert.match(out, /embedded L1/)
    assert.match(out, /alice .*ETH: had \d+, is owed \d+, has \d+/)
    assert.match(err, /mallory: exits an output that she has spent/)
    assert.match(err, /INVALID_EXIT \(warning\)/)
    const records = JSON.parse(readFileSync(file, 'utf8')) as DrillRecord[]
    assert.equal(
      records.map(({ scenario, passed, seed, owners }) => [scenario, passed, seed, owners]),
      [['thief', true, 3, 4]],
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test.run()

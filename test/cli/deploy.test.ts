/** lifeboat deploy where something is missing: nothing is paid for in vain, and whoever waits is told for what, and can leave. */
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runCli } from '../../cli/run.ts'
import { closeNetworks, network } from '../l1/embeddedFixture.ts'
import { createMemoryIo, lifeboat } from './fakeIo.ts'

const deploy = suite('deploying from the command line')
deploy.after(closeNetworks)

/** A directory with one key, which holds nothing. */
async function poor() {
  const dir = mkdtempSync(join(tmpdir(), 'lifeboat-deploy-'))
  const passwordFile = join(dir, 'password')
  writeFileSync(passwordFile, 'correct horse\n')
  const flags = ['--data-dir', dir, '--password-file', passwordFile]
  assert.is((await lifeboat(['keys', 'new', '--strength', 'light', ...flags])).code, 0)
  return { dir, flags }
}

deploy('refuses before anything is sent when the deployment file can not be written', async () => {
  const { dir, flags } = await poor()
  const out = join(dir, 'nowhere', 'deployment.json')
  // Nobody listens there: L1 is not even asked.
  const l1 = ['--preset', 'devnet', '--l1-chain-id', '31337', '--l1-url', 'http://127.0.0.1:9']
  const { code, err } = await lifeboat(['deploy', ...l1, '--out', out, ...flags])
  assert.is(code, 2)
  assert.match(err, `OUT_NOT_WRITABLE: --out can not be written; nothing was done, got ${out}`)
})

deploy('a drill whose report can not be written is not begun', async () => {
  const { dir } = await poor()
  for (const file of [dir, join(dir, 'nowhere', 'report.html')]) {
    const { code, err } = await lifeboat(['drill', 'run', 'thief', '--html', file])
    assert.is(code, 2)
    assert.match(err, `OUT_NOT_WRITABLE: --html can not be written; nothing was done, got ${file}`)
  }
})

deploy('deploy and drill read past what a wallet’s configuration file names besides', async () => {
  const { dir } = await poor()
  const file = join(dir, 'wallet.json')
  const urls = { l1Url: 'http://127.0.0.1:9', operatorUrl: 'http://127.0.0.1:9', watcherUrls: ['http://127.0.0.1:9'] }
  writeFileSync(file, JSON.stringify({ dataDir: dir, deployment: join(dir, 'deployment.json'), ...urls }))
  const env = { LIFEBOAT_CONFIG: file }
  assert.is((await lifeboat(['drill', 'list'], { env })).code, 0)
  assert.match((await lifeboat(['drill', 'run', 'nope'], { env })).err, 'DRILL_UNKNOWN')
  const out = ['--out', join(dir, 'nowhere', 'deployment.json')]
  assert.match(
    (await lifeboat(['deploy', '--preset', 'devnet', '--l1-chain-id', '1', ...out], { env })).err,
    'OUT_NOT_WRITABLE',
  )
})

deploy('says what a key without ETH needs, tells it again when repeated, and ends by Ctrl-C', async () => {
  const { dir, flags } = await poor()
  const net = await network()
  const out = join(dir, 'deployment.json')
  const l1 = ['--preset', 'devnet', '--l1-chain-id', String(net.l1.chainId), '--l1-url', net.l1.url, '--out', out]
  for (const _again of [1, 2]) {
    const interrupt = new AbortController()
    const io = createMemoryIo({ signal: interrupt.signal })
    const print = io.err
    const watched = {
      ...io,
      err: (text: string) => {
        print(text)
        if (/waiting: 0x[0-9a-f]{40} can spend 0 wei, needs [0-9]+ wei/.test(text)) interrupt.abort()
      },
    }
    assert.is(await runCli(['deploy', ...l1, ...flags], watched), 130)
    assert.match(io.printed.err, "the operator's bond of 1 ETH goes along")
    assert.match(io.printed.err, 'interrupted')
    assert.not.match(io.printed.err, 'fault of lifeboat')
  }
  assert.not.ok(existsSync(out))
})

deploy.run()

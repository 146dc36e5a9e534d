/** Starts Foundry's anvil from its npm package on a free port, Prague rules, and stops it again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export type Anvil = Readonly<{ url: string; stop(): void }>

const require = createRequire(import.meta.url)

export async function startAnvil(flags: readonly string[] = []): Promise<Anvil> {
  const port = await freePort()
  const states = mkdtempSync(join(tmpdir(), 'lifeboat-anvil-'))
  const process_ = spawn(
    anvilBinary(),
    ['--port', String(port), '--hardfork', 'prague', '--silent', '--accounts', '30', '--cache-path', states, ...flags],
    { stdio: 'ignore' },
  )
  const url = `http://127.0.0.1:${port}`
  await untilAnswers(url, process_)
  // A killed anvil leaves the states it wrote to disk behind, gigabytes of them in a long run.
  const stop = () => {
    process_.kill('SIGKILL')
    rmSync(states, { recursive: true, force: true, maxRetries: 3 })
  }
  process.once('exit', stop)
  return { url, stop }
}

export function anvilBinary(): string {
  const platform = process.platform === 'win32' ? 'win32' : process.platform
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const manifest = require.resolve(`@foundry-rs/anvil-${platform}-${architecture}/package.json`)
  return join(dirname(manifest), 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil')
}

async function untilAnswers(url: string, child: ChildProcess): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] })
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`anvil ended at once with code ${child.exitCode}`)
    try {
      await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error('anvil did not answer within 10 s')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Starts Foundry's anvil from its npm package on a free port, Prague rules, and stops it again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'

export type Anvil = Readonly<{ url: string; stop(): void }>

const require = createRequire(import.meta.url)

export async function startAnvil(flags: readonly string[] = []): Promise<Anvil> {
  const port = await freePort()
  const process_ = spawn(
    anvilBinary(),
    ['--port', String(port), '--hardfork', 'prague', '--silent', '--accounts', '30', ...flags],
    {
      stdio: 'ignore',
    },
  )
  const url = `http://127.0.0.1:${port}`
  await untilAnswers(url, process_)
  const stop = () => process_.kill('SIGKILL')
  process.once('exit', stop)
  return { url, stop }
}

function anvilBinary(): string {
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

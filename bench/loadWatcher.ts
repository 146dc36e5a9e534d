/** A watcher that starts with an empty database and catches up: how fast it fetches, checks and stores what the operator serves. */
import { connectEndpoint } from '../l1/endpoint.ts'
import { deploymentParameters } from '../operator/config.ts'
import { createLog } from '../service/log.ts'
import { createHttpPeer } from '../watcher/peers.ts'
import { createWatcher } from '../watcher/watcher.ts'
import { answer, type CatchUpResult, type CatchUpTask, readTask } from './loadParts.ts'

const { deployment, l1Url, operatorUrl, file, threads } = readTask<CatchUpTask>()
const watcher = await createWatcher({
  deployment,
  parameters: deploymentParameters(deployment),
  endpoints: [await connectEndpoint({ url: l1Url, expectedChainId: deployment.chainId })],
  peers: [createHttpPeer({ url: operatorUrl, timeoutMs: 30_000 })],
  database: file,
  log: createLog({ name: 'watcher', level: 'warn', destination: { write: (line) => void process.stderr.write(line) } }),
  version: 'bench',
  port: 0,
  threads,
})
await watcher.ready()
const hear = () => new Promise((resolve) => process.once('message', resolve))
const go = hear()
answer({ ready: true })
await go
const start = performance.now()
await watcher.settle()
const seconds = (performance.now() - start) / 1000
const status = watcher.status()
const result: CatchUpResult = { blocks: status.final, seconds, problems: status.problems }
const stop = hear()
answer(result)
await stop
await watcher.stop()
process.disconnect()

/** The operator of the bench: the real one, in a process of its own, its database on disk. */
import { privateKeyToAccount } from 'viem/accounts'
import { connectEndpoint } from '../l1/endpoint.ts'
import { defaultSettings, deploymentParameters } from '../operator/config.ts'
import { createOperator } from '../operator/operator.ts'
import { parseAddress } from '../protocol/bytes.ts'
import { createLog } from '../service/log.ts'
import { answer, type OperatorTask, readTask } from './loadParts.ts'

const { deployment, l1Url, dataDir, privateKey, threads } = readTask<OperatorTask>()
const signer = privateKeyToAccount(privateKey)
const operator = await createOperator({
  deployment,
  endpoint: await connectEndpoint({ url: l1Url, expectedChainId: deployment.chainId }),
  signer,
  dataDir,
  settings: {
    ...defaultSettings(deploymentParameters(deployment), parseAddress(signer.address)),
    port: 0,
    pollIntervalMs: 500,
    clientLimit: { perSecond: 0, burst: 1 },
    threads,
  },
  log: createLog({
    name: 'operator',
    level: 'warn',
    destination: { write: (line) => void process.stderr.write(line) },
  }),
})
answer({ url: operator.url })
process.on('message', (message) => {
  if (message === 'stop') {
    void operator.stop().then(() => {
      answer({ done: true })
      process.disconnect()
    })
  }
})

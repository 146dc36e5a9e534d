/** lifeboat operator: runs the child chain until it is interrupted. */
import { privateKeyToAccount } from 'viem/accounts'
import { connectEndpoint } from '../l1/endpoint.ts'
import { checkOperator } from '../operator/check.ts'
import { configToSettings, deploymentParameters, operatorConfig } from '../operator/config.ts'
import { createOperator } from '../operator/operator.ts'
import { bytesToHex } from '../protocol/bytes.ts'
import { defineConfig } from '../service/config.ts'
import { boolean } from '../service/configTypes.ts'
import { createLog } from '../service/log.ts'
import { unlockKey } from '../wallet/keys.ts'
import { createCommand } from './command.ts'
import { readDeploymentFile } from './deploymentFile.ts'
import type { CliIo } from './io.ts'
import { readPassword } from './password.ts'
import { untilInterrupted } from './running.ts'

const table = defineConfig({
  ...operatorConfig,
  entries: {
    ...operatorConfig.entries,
    check: { kind: boolean(), default: false, describe: 'Check everything and end, without running' },
  },
})

export function createOperatorCommand(io: CliIo) {
  return createCommand(io, {
    table,
    run: async ({ config }) => {
      const deployment = readDeploymentFile(config.deployment)
      const connect = (url: string) => connectEndpoint({ url, expectedChainId: deployment.chainId })
      const endpoint = await connect(config.l1Url)
      const account = await unlockKey(config.keystore, () =>
        readPassword(io, config.passwordFile, `Password of ${config.keystore}: `),
      )
      const settings = configToSettings(config, deploymentParameters(deployment), account.address)
      const { dataDir } = config
      if (config.check) {
        await checkOperator({ settings, deployment, endpoint, ourAddress: account.address, dataDir })
        return io.out('operator: everything is ready\n')
      }
      const operator = await createOperator({
        deployment,
        endpoint,
        ...(config.l1SecondUrl === undefined ? {} : { secondEndpoint: await connect(config.l1SecondUrl) }),
        signer: privateKeyToAccount(bytesToHex(account.privateKey)),
        receiptKey: account.privateKey,
        dataDir,
        settings,
        log: createLog({ name: 'operator', level: config.logLevel }),
      })
      io.err(`operator at ${operator.url}\n`)
      await untilInterrupted(io, () => operator.stop())
    },
  })
}

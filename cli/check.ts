/** lifeboat check: whether everything that a wallet needs is in order, all problems at once. */

import { configError, isLifeboatError } from '../protocol/errors.ts'
import { listCoins } from '../wallet/balance.ts'
import { type CliIo, formatTable } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'
import { readSafety } from './watcherView.ts'

type Finding = Readonly<{ what: string; ok: boolean; words: string }>

export function createCheckCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'check',
    describe:
      'Check deployment, L1, operator, watchers and funds before relying on them (the operator and watcher have --check)',
    entries: {},
    sign: false,
    run: async (session) => {
      const { wallet } = session
      const bondWei = await wallet.root.exitBond()
      const findings: readonly Finding[] = [
        {
          what: 'L1 and deployment',
          ok: true,
          words: `root contract ${wallet.root.address} on chain ${wallet.root.chainId} as deployed`,
        },
        await finding('chain', async () => {
          const { voidFrom } = await wallet.root.head()
          if (voidFrom !== 0)
            throw configError('CHAIN_HALTED', `halted: blocks from ${voidFrom} on are void; exit what you own`)
          return 'live'
        }),
        await finding('operator', async () => {
          const status = await wallet.child.status()
          if (status.rootContract !== wallet.root.address || status.chainId !== wallet.root.chainId) {
            throw configError('OPERATOR_OTHER_CHAIN', 'serves another chain', {
              got: status.rootContract,
              want: wallet.root.address,
            })
          }
          return status.problems.length === 0 ? 'answers' : `answers; ${status.problems.join('; ')}`
        }),
        await finding('account', async () => `${wallet.account.address}, ${(await listCoins(wallet)).length} outputs`),
        await finding('ETH for an exit', async () => {
          const have = await wallet.root.etherOf(wallet.account.address)
          if (have >= bondWei * 2n) return wallet.tokens.describe('0x0000000000000000000000000000000000000000', have)
          throw configError('ETHER_TOO_LOW', 'too little ETH on L1 to start an exit', { got: have, want: bondWei * 2n })
        }),
        ...(await readSafety(session)).map((one) => ({
          what: `watcher ${one.url}`,
          ok: one.status === 'safe',
          words: `${one.status}${one.reason ? `: ${one.reason}` : ''}`,
        })),
      ]
      const bad = findings.filter(({ ok }) => !ok)
      if (bad.length > 0) {
        throw configError('CHECK_FAILED', 'not everything is in order', {
          got: bad.map(({ what, words }) => `${what}: ${words}`),
          want: 'all of them in order',
          findings,
        })
      }
      return { json: findings, text: formatTable(findings.map(({ what, words }) => ['ok', what, words])) }
    },
  })
}

async function finding(what: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { what, ok: true, words: await look() }
  } catch (error) {
    if (!isLifeboatError(error)) throw error
    return { what, ok: false, words: error.message }
  }
}

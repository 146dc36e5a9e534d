/** lifeboat status: how root contract, operator and watchers are, as far as each can be asked. */
import { isLifeboatError } from '../protocol/errors.ts'
import { type CliIo, formatTable, formatTime } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'
import { readSafety } from './watcherView.ts'

export function createStatusCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'status',
    describe: 'Show how the chain, the operator and the watchers are',
    entries: {},
    sign: false,
    isForAll: () => true,
    run: async (session) => {
      const { wallet } = session
      const [now, head, queue] = [await wallet.root.now(), await wallet.root.head(), await wallet.root.queue()]
      const bondWei = await wallet.root.exitBond()
      const operator = await wallet.child.status().catch((error: unknown) => {
        if (isLifeboatError(error)) return { unreachable: error.message }
        throw error
      })
      const watchers = await readSafety(session)
      const chain = head.voidFrom === 0 ? 'live' : `halted: blocks from ${head.voidFrom} on are void`
      const rows = [
        ['root contract', `${wallet.root.address} on chain ${wallet.root.chainId}, ${chain}`],
        ['L1', `block ${now.l1Block}, ${formatTime(now.timestamp)}`],
        [
          'newest child block',
          head.newest === 0 ? 'none yet' : `${head.newest}, ${formatTime(head.newestTime, now.timestamp)}`,
        ],
        [
          'exit queue',
          `${queue.oldTail - queue.oldHead} in order of arrival${queue.youngFirst === 0 ? '' : `, young ones from block ${queue.youngFirst} on`}`,
        ],
        ['exit bond', `at least ${wallet.tokens.describe('0x0000000000000000000000000000000000000000', bondWei)}`],
        [
          'operator',
          'unreachable' in operator
            ? operator.unreachable
            : `blocks ${operator.sealed} cut, ${operator.committed} on L1, ${operator.final} final${operator.problems.length === 0 ? '' : `; ${operator.problems.join('; ')}`}`,
        ],
        ...watchers.map((one) => [
          `watcher ${one.url}`,
          `${one.status}${one.reason === undefined ? '' : `: ${one.reason}`}${'block' in one && one.block !== undefined ? `, block ${one.block}` : ''}`,
        ]),
      ]
      return {
        json: {
          rootContract: wallet.root.address,
          chainId: wallet.root.chainId,
          l1: now,
          head,
          queue,
          exitBondWei: bondWei,
          parameters: wallet.root.parameters,
          operator,
          watchers,
        },
        text: formatTable(rows),
      }
    },
  })
}

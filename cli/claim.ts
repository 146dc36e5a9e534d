/** lifeboat claim: what mass exits hold for an owner, paid. */
import { randomUUID } from 'node:crypto'
import { parsePosition } from '../protocol/position.ts'
import { text } from '../service/configTypes.ts'
import { type ClaimedOutput, claim } from '../wallet/claim.ts'
import { type CliIo, formatTable, formatTime } from './io.ts'
import { parseParty } from './keystore.ts'
import { createWalletCommand } from './walletCommand.ts'

const ETH = '0x0000000000000000000000000000000000000000'

export function createClaimCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'claim',
    describe:
      'Have mass exits pay what they hold for you; places and settles opened entries; says what the others wait for',
    words: { '[output]': 'position, or `all`; all when left out' },
    entries: {
      for: { kind: text(), optional: true, describe: 'Somebody else’s outputs: the money goes to that owner' },
    },
    sign: true,
    examples: ['lifeboat claim', 'lifeboat claim 33554448', 'lifeboat claim all --for bob'],
    run: async ({ wallet, keys }, [output = 'all'], config) => {
      const done = await claim(wallet, {
        positions: output === 'all' ? 'all' : [parsePosition(output)],
        ...(config.for === undefined ? {} : { owner: parseParty(config.for, keys) }),
        key: randomUUID(),
      })
      const { timestamp } = await wallet.root.now()
      const rows = done.outputs.map((one) => [
        `${one.position}`,
        wallet.tokens.describe(one.token, one.amount),
        `mass exit ${one.batchId.slice(0, 10)}`,
        stateInWords(one, timestamp),
      ])
      const paid = done.paid > 0 ? [`${done.paid} paid\n`] : []
      return {
        json: done,
        text:
          rows.length === 0 ? 'no mass exit names an output of this owner\n' : [...paid, formatTable(rows)].join(''),
      }
    },
  })
}

function stateInWords({ state, token }: ClaimedOutput, now: number): string {
  switch (state.kind) {
    case 'paid':
      return token === ETH ? 'paid' : 'paid: on L1, to be fetched with `lifeboat withdraw`'
    case 'waits':
      return `waits for ${state.why}${state.until === undefined ? '' : `; ${formatTime(state.until, now)}`}`
    case 'lost':
      return `not paid: ${state.why}`
    default:
      return 'due: run it again'
  }
}

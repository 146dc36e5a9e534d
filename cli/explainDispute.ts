/** lifeboat explain dispute: the life of an in-flight exit, whom it concerns, and what happens next. */
import type { Command } from 'commander'
import { type Hash, hexToBytes, parseHash } from '../protocol/bytes.ts'
import { invalid } from '../protocol/errors.ts'
import { outputIdOf } from '../protocol/position.ts'
import { describePlace } from '../protocol/validity.ts'
import { disputeOutlook, findDispute, type KnownDispute, partOf } from '../wallet/disputes.ts'
import { disputeToJson, ownerInWords, partInWords } from './disputes.ts'
import { type CliIo, formatTime } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'
import type { Session } from './walletSession.ts'
import { askWatchers } from './watcherView.ts'

export function createExplainDisputeCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'dispute',
    describe: 'The life of a dispute: who pays whom, what was shown on L1, what the verdict would be, what you can do',
    words: { '<hash>': 'hash of the disputed payment' },
    entries: {},
    sign: false,
    run: async (session, [text = '']) => {
      const { wallet } = session
      const txHash = parseHash(text)
      const known = await findDispute(wallet, txHash)
      if (!known) {
        throw invalid('DISPUTE_UNKNOWN', 'L1 knows no dispute of this payment', {
          got: txHash,
          want: 'one that `lifeboat disputes --everyone` lists',
        })
      }
      const { timestamp } = await wallet.root.now()
      const outlook = await disputeOutlook(wallet.root, known)
      const part = partOf(known, wallet.account.address)
      const states = await statesOf(session, known)
      const trail = await readTrail(session, txHash)
      const watcher = await askWatchers(session, `/v1/explain/dispute/${txHash}`)
      const account = wallet.account.address
      const lines = [
        `dispute of payment ${txHash}, started by ${ownerInWords(known.dispute.starter, account)}`,
        `  your part  ${partInWords(part)}`,
        `  age        ${describePlace(known.dispute.agePosition)}`,
        ...known.inputs.map(
          ({ owner, token, amount, position }, i) =>
            `  input ${i}    ${wallet.tokens.describe(token, amount)} of ${ownerInWords(owner, account)}, ${position}: ${states.inputs[i]}`,
        ),
        ...known.signed.transaction.outputs.map(
          ({ owner, token, amount }, i) =>
            `  output ${i}   ${wallet.tokens.describe(token, amount)} for ${ownerInWords(owner, account)}: ${states.outputs[i]}`,
        ),
        `  other spends can be shown until ${formatTime(outlook.competitorsUntil, timestamp)}`,
        `  inclusions can be shown until   ${formatTime(outlook.answersUntil, timestamp)}`,
        `  verdict after                   ${formatTime(outlook.verdictAfter, timestamp)}`,
        'what happened',
        ...trail.map(({ l1Timestamp, words }) => `  ${formatTime(l1Timestamp)}  ${words}`),
        `now: ${known.record.verdict}, ${outlook.words}`,
        ...(watcher ? [`watcher ${watcher.url} says`, ...watcher.answer.summary.map((line) => `  ${line}`)] : []),
      ]
      return {
        json: { ...disputeToJson(known), part, outlook, states, trail, watcher: watcher ?? null },
        text: `${lines.join('\n')}\n`,
      }
    },
  })
}

/** What L1 says of the exits of each input and output. */
async function statesOf({ wallet }: Session, { dispute, inputs, signed }: KnownDispute) {
  const stateOf = async (outputId: Hash) => (await wallet.root.exitRecord(outputId)).state
  const hash = hexToBytes(dispute.txHash)
  return {
    inputs: await Promise.all(inputs.map(({ outputId }) => stateOf(outputId))),
    outputs: await Promise.all(signed.transaction.outputs.map((_, i) => stateOf(outputIdOf(hash, i)))),
  }
}

async function readTrail({ wallet }: Session, disputed: Hash) {
  const types = ['DisputeStarted', 'CompetitorShown', 'DisputeAnswered', 'DisputeDecided'] as const
  const events = await wallet.root.events({ types, disputed })
  return events.map((event) => {
    const words = (() => {
      switch (event.type) {
        case 'DisputeStarted':
          return `started with a bond of ${event.dispute.bond} wei`
        case 'CompetitorShown': {
          const where = event.position === 0 ? 'in no block' : `at ${describePlace(event.position)}`
          const reward =
            event.reward > 0n ? `; rewarded with ${event.reward} wei of the bond, because it had been public` : ''
          return `${event.competitor}, ${where}, spends input ${event.input} too: shown by ${event.challenger}${reward}`
        }
        case 'DisputeAnswered':
          return `shown to be included at ${describePlace(event.position)}`
        case 'DisputeDecided':
          return `the verdict: ${event.verdict}`
        default:
          return event.type
      }
    })()
    const { l1Block, l1Timestamp, txHash } = event.at
    return { type: event.type, l1Block, l1Timestamp, txHash, words }
  })
}

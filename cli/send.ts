/** lifeboat send: a payment on the child chain. */
import { type Address, type Hash, parseHash } from '../protocol/bytes.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import { decodePosition } from '../protocol/position.ts'
import { describePlace } from '../protocol/validity.ts'
import { boolean, text } from '../service/configTypes.ts'
import { keepOwnOutputs, pay, waitForStage } from '../wallet/pay.ts'
import type { PaymentStanding } from '../wallet/standing.ts'
import { standingOf } from '../wallet/standings.ts'
import { parseTokenAmount } from '../wallet/tokens.ts'
import { type CliIo, formatTime } from './io.ts'
import { parseParty } from './keystore.ts'
import { standingInWords } from './standing.ts'
import { createWalletCommand } from './walletCommand.ts'

const hashText = () => text({ pattern: /^0x[0-9a-fA-F]{64}$/, want: '0x and 64 hexadecimal digits' })

export function createSendCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'send',
    describe: 'Pay somebody on the child chain',
    words: {
      '<to>': 'address, or the name of a key in the keystore',
      '<amount>': 'decimal amount, such as 1.5',
      '[token]': 'symbol or address; ETH when left out',
    },
    entries: {
      memo: { kind: hashText(), optional: true, describe: '32 bytes that go with the payment' },
      feeToken: {
        kind: text(),
        optional: true,
        describe: 'Token to pay the fee in; chosen by the wallet when left out',
      },
      replace: {
        kind: hashText(),
        optional: true,
        describe: 'Hash of a payment without an answer, or refused, that this one takes the place of',
      },
      wait: { kind: boolean(), default: true, describe: 'Wait until the payment is in a block on L1' },
    },
    sign: true,
    examples: [
      'lifeboat send 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 1.5',
      'lifeboat send bob 20 USDX --account alice',
    ],
    run: async ({ wallet, keys, config: shared }, words, config) => {
      const [to, amount, tokenText = 'ETH'] = words as readonly [string, string, string?]
      const token = await wallet.tokens.resolve(tokenText)
      const feeToken: Address | undefined = config.feeToken
        ? (await wallet.tokens.resolve(config.feeToken)).address
        : undefined
      const paid = await pay(wallet, {
        to: parseParty(to, keys),
        token: token.address,
        amount: parseTokenAmount(amount, token),
        ...(config.memo ? { memo: parseHash(config.memo) as Hash } : {}),
        ...(config.replace ? { replaces: parseHash(config.replace) as Hash } : {}),
        ...(feeToken ? { feeToken } : {}),
      })
      const { txHash, position, fee, merges } = paid
      let stage = 'accepted'
      let payment: PaymentStanding | undefined
      if (config.wait) {
        wallet.report(`accepted at ${describePlace(position)}`)
        stage = (await waitForStage(wallet, txHash, 'committed', shared.timeout * 1000)).stage
        await keepOwnOutputs(wallet, paid)
        // The stage is the operator's word; this is L1's. The payment is made, whatever L1 answers now.
        payment = await standingOf(wallet, txHash).catch((error: unknown) => {
          if (!isLifeboatError(error)) throw error
          wallet.report(`L1 does not say how it stands (${error.message})`)
          return undefined
        })
      }
      const soft = `soft: the operator promised it a place in block ${decodePosition(position).block}; \`lifeboat history\` says when it is on L1`
      const told = payment ? standingInWords(payment, formatTime) : soft
      const feeText = fee ? `, fee ${wallet.tokens.describe(fee.token, fee.amount)}` : ''
      return {
        json: {
          txHash,
          position,
          stage,
          standing: payment?.standing ?? 'soft',
          payment: payment ?? null,
          merges,
          fee: fee ?? null,
        },
        text: `${amount} ${token.symbol} to ${to}${feeText}\n${told}\ntransaction ${txHash}\nposition    ${position}\n`,
      }
    },
  })
}

/** lifeboat send: a payment on the child chain. */
import { type Address, type Hash, parseHash } from '../protocol/bytes.ts'
import { describePlace } from '../protocol/validity.ts'
import { boolean, text } from '../service/configTypes.ts'
import { keepOwnOutputs, pay, waitForStage } from '../wallet/pay.ts'
import { parseTokenAmount } from '../wallet/tokens.ts'
import type { CliIo } from './io.ts'
import { parseParty } from './keystore.ts'
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
      if (config.wait) {
        wallet.report(`accepted at ${describePlace(position)}`)
        stage = (await waitForStage(wallet, txHash, 'committed', shared.timeout * 1000)).stage
        await keepOwnOutputs(wallet, paid)
      }
      const feeText = fee ? `, fee ${wallet.tokens.describe(fee.token, fee.amount)}` : ''
      return {
        json: { txHash, position, stage, merges, fee: fee ?? null },
        text: `${stage}: ${amount} ${token.symbol} to ${to}${feeText}\ntransaction ${txHash}\nposition    ${position}\n`,
      }
    },
  })
}

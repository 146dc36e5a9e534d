/** lifeboat disputes: the in-flight exits that an account has a part in, or all of them, as L1 has them. */
import type { Address } from '../protocol/bytes.ts'
import { boolean } from '../service/configTypes.ts'
import { disputeOutlook, findDisputes, hasPart, type KnownDispute, partOf } from '../wallet/disputes.ts'
import { type CliIo, formatTable, formatTime } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'

export function createDisputesCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'disputes',
    describe: 'List disputes about payments, your part in them, and what happens next',
    entries: {
      everyone: { kind: boolean(), default: false, describe: "Everybody's disputes, not only the account's" },
      open: { kind: boolean(), default: false, describe: 'Only those without a verdict' },
    },
    sign: false,
    isForAll: ({ everyone }) => everyone,
    run: async ({ wallet }, _words, { everyone, open }) => {
      const { root, account } = wallet
      const { timestamp } = await root.now()
      const found = (await findDisputes(wallet)).filter(
        (one) => (everyone || hasPart(partOf(one, account.address))) && (!open || one.record.verdict === 'running'),
      )
      const shown = await Promise.all(
        found.map(async (one) => ({
          one,
          part: partOf(one, account.address),
          outlook: await disputeOutlook(root, one),
        })),
      )
      const rows = shown.map(({ one, part, outlook }) => [
        one.dispute.txHash,
        one.record.verdict,
        partInWords(part),
        one.record.verdict === 'running' ? formatTime(outlook.verdictAfter, timestamp) : '',
        outlook.words,
      ])
      return {
        json: shown.map(({ one, part, outlook }) => ({ ...disputeToJson(one), part, outlook })),
        text:
          rows.length === 0
            ? 'no disputes\n'
            : formatTable([['payment', 'verdict', 'your part', 'verdict after', 'what happens next'], ...rows]),
      }
    },
  })
}

/** Flat, with what is asked for first. */
export function disputeToJson({ dispute, inputs, signed, record, competitors, answers }: KnownDispute) {
  const { verdict, bondFell, unweighed } = record
  const { transaction, witnesses } = signed
  return { ...dispute, verdict, bondFell, unweighed, inputs, transaction, witnesses, competitors, answers }
}

export function partInWords({ inputs, outputs, isStarter }: ReturnType<typeof partOf>): string {
  const parts = [
    ...(inputs.length > 0 ? [`pays (input${inputs.length === 1 ? '' : 's'} ${inputs.join(', ')})`] : []),
    ...(outputs.length > 0 ? [`is paid (output${outputs.length === 1 ? '' : 's'} ${outputs.join(', ')})`] : []),
    ...(isStarter ? ['started it'] : []),
  ]
  return parts.length === 0 ? 'none' : parts.join(', ')
}

/** Owners by name where they are the account. */
export function ownerInWords(owner: Address, account: Address): string {
  return owner === account ? `you (${owner})` : owner
}

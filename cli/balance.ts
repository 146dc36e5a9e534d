/** lifeboat balance: what an account owns on the child chain, and what is credited to it on L1. Keeps the proofs of it all. */
import { boolean } from '../service/configTypes.ts'
import { listCoins, sumBalances, unpaidCoins } from '../wallet/balance.ts'
import { keepFlights } from '../wallet/keep.ts'
import { noteMassExits } from '../wallet/massExits.ts'
import { keepProofs } from '../wallet/proofs.ts'
import { listCredits } from '../wallet/withdraw.ts'
import { type CliIo, formatTable } from './io.ts'
import { createWalletCommand } from './walletCommand.ts'

export function createBalanceCommand(io: CliIo) {
  return createWalletCommand(io, {
    program: 'balance',
    describe: 'Show what an account owns on the child chain, and what L1 holds for it',
    entries: {
      outputs: { kind: boolean(), default: false, describe: 'List every output with its position' },
      keepProofs: {
        kind: boolean(),
        default: true,
        describe: 'Fetch and keep what exits need: proofs, and payments with their signatures',
      },
    },
    sign: false,
    run: async ({ wallet }, _words, config) => {
      const { account, tokens } = wallet
      await noteMassExits(wallet)
      const listed = await listCoins(wallet)
      const coins = await unpaidCoins(wallet, listed)
      const balances = sumBalances(coins)
      const known = new Set([...tokens.list().map(({ address }) => address), ...listed.map(({ token }) => token)])
      const credits = await listCredits(wallet, account.address, [...known])
      const credited = coins.filter(({ state }) => state !== 'pending').map(({ position }) => position)
      const unproven = config.keepProofs ? await keepProofs(wallet, credited) : undefined
      const kept = config.keepProofs ? await keepFlights(wallet) : undefined
      const show = tokens.describe
      const rows = balances.map(({ token, free, pending, exiting, leaving, held, coins: count }) => [
        show(token, free),
        `in ${count} output${count === 1 ? '' : 's'}`,
        [
          pending > 0n ? `${show(token, pending)} arriving` : '',
          exiting > 0n ? `${show(token, exiting)} exiting` : '',
          leaving > 0n ? `${show(token, leaving)} leaving in mass exits (\`lifeboat claim\`)` : '',
          held > 0n ? `${show(token, held)} held by open swaps and unanswered payments` : '',
        ]
          .filter((part) => part !== '')
          .join(', '),
      ])
      const outputRows = coins.map(({ position, token, amount, state, held }) => [
        `${position}`,
        show(token, amount),
        held ?? state,
      ])
      const text = [
        `${account.address} owns\n`,
        rows.length === 0 ? '  nothing on the child chain\n' : formatTable(rows.map((row) => ['', ...row])),
        ...(config.outputs ? ['outputs\n', formatTable(outputRows.map((row) => ['', ...row]))] : []),
        ...credits.map(
          ({ token, amount }) => `  ${show(token, amount)} on L1, to be fetched with \`lifeboat withdraw\`\n`,
        ),
        ...(kept?.refused.map(({ txHash, reason }) => `  payment ${txHash} is not kept: ${reason}\n`) ?? []),
        ...(kept?.unproven ? [`  ${kept.unproven} inputs of payments cannot be shown yet\n`] : []),
        ...(unproven
          ? [`  ${unproven} outputs cannot be proven yet (their block is not on L1, or nobody shows it)\n`]
          : []),
      ]
      return {
        json: {
          account: account.address,
          balances: balances.map((balance) => ({ ...balance, symbol: tokens.find(balance.token)?.symbol ?? null })),
          credits,
          unproven: unproven ?? null,
          kept: kept ?? null,
          ...(config.outputs ? { outputs: coins } : {}),
        },
        text: text.join(''),
      }
    },
  })
}

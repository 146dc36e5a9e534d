/** lifeboat swap: an atomic exchange between two owners, by two files. */
import { readFileSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { parseHash } from '../protocol/bytes.ts'
import { configError, invalid } from '../protocol/errors.ts'
import { boolean, path, text } from '../service/configTypes.ts'
import type { WalletContext } from '../wallet/context.ts'
import { waitForStage } from '../wallet/pay.ts'
import { acceptOffer, cancelSwap, completeSwap, makeOffer, swapEffects } from '../wallet/swap.ts'
import { formatSwapFile, parseSwapFile, type SwapFile, swapId } from '../wallet/swapFile.ts'
import { parseTokenAmount } from '../wallet/tokens.ts'
import { configureOutput } from './command.ts'
import { type CliIo, formatTable } from './io.ts'
import { parseParty } from './keystore.ts'
import { assertWritable } from './outFile.ts'
import { createWalletCommand, type Result } from './walletCommand.ts'

const FILE_WORD = { '<file>': 'the swap file' }

export function createSwapCommand(io: CliIo): Command {
  const command = configureOutput(
    new Command('swap').description('Exchange tokens with somebody, both sides or neither'),
    io,
  )
  for (const create of [offerCommand, acceptCommand, completeCommand, showCommand, listCommand, cancelCommand])
    command.addCommand(create(io))
  return command
}

function offerCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'offer',
    describe: 'Offer a swap; nothing is signed yet',
    words: {
      '<give>': 'amount you give',
      '<giveToken>': 'its token',
      '<want>': 'amount you want',
      '<wantToken>': 'its token',
    },
    entries: {
      onlyFor: { kind: text(), optional: true, describe: 'Who alone may accept; anyone when left out' },
      file: { kind: path(), default: 'swap.json', describe: 'Where to write the offer' },
    },
    sign: true,
    examples: ['lifeboat swap offer 30 USDX 0.01 ETH --file offer.json'],
    run: async ({ wallet, keys }, words, config) => {
      assertWritable('--file', config.file)
      const [give, giveName, want, wantName] = words as readonly [string, string, string, string]
      const [giveToken, wantToken] = [await wallet.tokens.resolve(giveName), await wallet.tokens.resolve(wantName)]
      if (giveToken.address === wantToken.address)
        throw invalid('SWAP_ONE_TOKEN', 'both sides of a swap are the same token; nothing is held', {
          got: giveToken.symbol,
          want: 'two tokens',
        })
      const offer = await makeOffer(wallet, {
        give: { token: giveToken.address, amount: parseTokenAmount(give, giveToken) },
        want: { token: wantToken.address, amount: parseTokenAmount(want, wantToken) },
        ...(config.onlyFor === undefined ? {} : { onlyFor: parseParty(config.onlyFor, keys) }),
      })
      writeFileSync(config.file, formatSwapFile(offer), { mode: 0o600 })
      return described(wallet, offer, `written to ${config.file}; send it to the other side`)
    },
  })
}

function acceptCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'accept',
    describe: 'Accept an offer: adds your inputs and signatures',
    words: FILE_WORD,
    entries: {
      file: { kind: path(), default: 'accepted.json', describe: 'Where to write the accepted swap' },
      yes: { kind: boolean(), default: false, describe: 'Sign without being shown the terms first' },
    },
    sign: true,
    run: async ({ wallet, io: out }, [offerFile = ''], config) => {
      const text = readSwapText(offerFile)
      assertWritable('--file', config.file)
      const shown = describeSwap(wallet, parseSwapFile(text, wallet.domain))
      if (!config.yes) out.err(shown)
      if (!config.yes && (!out.isInteractive || !/^y(es)?$/i.test(await out.askSecret('Sign this? (yes/no) ')))) {
        throw configError('NOT_CONFIRMED', 'nothing was signed', { got: 'no confirmation', want: 'yes, or --yes' })
      }
      const accepted = await acceptOffer(wallet, text)
      writeFileSync(config.file, formatSwapFile(accepted), { mode: 0o600 })
      return described(
        wallet,
        accepted,
        `written to ${config.file}; send it back. From now on the maker decides; \`lifeboat swap cancel ${swapId(accepted)}\` takes it back`,
      )
    },
  })
}

function completeCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'complete',
    describe: 'Sign an accepted swap of yours and hand it in',
    words: FILE_WORD,
    entries: { wait: { kind: boolean(), default: true, describe: 'Wait until the swap is in a block on L1' } },
    sign: true,
    run: async ({ wallet, config: shared }, [file = ''], config) => {
      const done = await completeSwap(wallet, readSwapText(file))
      const stage = config.wait
        ? (await waitForStage(wallet, done.txHash, 'committed', shared.timeout * 1000)).stage
        : 'accepted'
      return {
        json: { txHash: done.txHash, position: done.position, stage },
        text: `swap ${stage}\ntransaction ${done.txHash}\nposition    ${done.position}\n`,
      }
    },
  })
}

function showCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'show',
    describe: 'Show what each side of a swap file gives and gets',
    words: FILE_WORD,
    entries: {},
    sign: false,
    run: async ({ wallet }, [file = '']) => described(wallet, parseSwapFile(readSwapText(file), wallet.domain)),
  })
}

function listCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'list',
    describe: 'List your open swaps',
    entries: {},
    sign: false,
    run: async ({ wallet }) => {
      const open = wallet.store.openSwaps(wallet.account.address)
      const rows = open.map(({ id, role, inputs }) => [id, role, `holds ${inputs.join(', ')}`])
      return {
        json: open.map(({ id, role, inputs }) => ({ id, role, inputs })),
        text: rows.length === 0 ? 'no open swaps\n' : formatTable(rows),
      }
    },
  })
}

function cancelCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'cancel',
    describe: 'Free the inputs of an open swap; what you have signed is made void by spending an input',
    words: { '<id>': 'as `lifeboat swap list` shows it' },
    entries: {},
    sign: true,
    run: async ({ wallet }, [id = '']) => {
      const done = await cancelSwap(wallet, parseHash(id))
      return { json: done, text: done.txHash ? `cancelled by transaction ${done.txHash}\n` : 'cancelled\n' }
    },
  })
}

function described(wallet: WalletContext, swap: SwapFile, note?: string): Result {
  const effects = swapEffects(swap)
  const json = {
    id: swapId(swap),
    stage: swap.stage,
    maker: { address: swap.maker, ...effects.maker },
    taker: { address: swap.stage === 'accepted' ? swap.taker : null, ...effects.taker },
  }
  return { json, text: `${describeSwap(wallet, swap)}${note === undefined ? '' : `${note}\n`}` }
}

function describeSwap({ tokens, account }: WalletContext, swap: SwapFile): string {
  const { maker, taker } = swapEffects(swap)
  const money = (list: readonly Readonly<{ token: `0x${string}`; amount: bigint }>[]) =>
    list.map(({ token, amount }) => tokens.describe(token, amount)).join(' and ')
  const name = (address: string) => (address === account.address ? `you (${address})` : address)
  const takerName = swap.stage === 'accepted' ? name(swap.taker) : (swap.onlyFor ?? 'whoever accepts')
  return formatTable([
    [`swap ${swapId(swap)}`, swap.stage],
    ['maker', name(swap.maker), `gives ${money(maker.gives)}, gets ${money([maker.gets])}`],
    ['taker', takerName, `gives ${money(taker.gives)}, gets ${money([taker.gets])}`],
  ])
}

function readSwapText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw configError('SWAP_FILE_MISSING', 'cannot read the swap file', { got: file, want: 'a readable file' }, cause)
  }
}

/** lifeboat mandate: leave for a watcher to take your outputs out while you are offline. */
import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { SignedMandate } from '../l1/rootCalls.ts'
import { type Hash, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { configError, invalid, isLifeboatError } from '../protocol/errors.ts'
import type { Mandate } from '../protocol/mandate.ts'
import { parsePosition } from '../protocol/position.ts'
import { integer, path, text } from '../service/configTypes.ts'
import { type CoverDesk, type Covered, cover, createCoverDesk, handIn } from '../wallet/cover.ts'
import {
  DEFAULT_MANDATE_DAYS,
  formatMandateFile,
  giveMandate,
  listMandates,
  mandateInWords,
  revokeMandates,
} from '../wallet/mandate.ts'
import { parseTokenAmount } from '../wallet/tokens.ts'
import { configureOutput } from './command.ts'
import { type CliIo, formatTable, formatTime } from './io.ts'
import { parseParty } from './keystore.ts'
import { assertWritable } from './outFile.ts'
import { createWalletCommand } from './walletCommand.ts'
import type { Session } from './walletSession.ts'

export function createMandateCommand(io: CliIo): Command {
  const command = new Command('mandate').description(
    'Leave for a watcher to act while you are offline; the money only goes to you',
  )
  return configureOutput(command, io)
    .addCommand(giveCommand(io))
    .addCommand(revokeCommand(io))
    .addCommand(showCommand(io))
}

/** The watchers that the wallet knows. */
export function desksOf({ config, io }: Pick<Session, 'config' | 'io'>): CoverDesk[] {
  return config.watcherUrls.map((url) => createCoverDesk({ url, timeoutMs: 10_000, signal: io.signal }))
}

/** Cover by every watcher, said in a line each. Best effort: whatever else was done stands. */
export async function coverByDefault(session: Session): Promise<readonly Covered[]> {
  const { wallet, io } = session
  if (session.config.watcherUrls.length === 0) return []
  const { covered, failed } = await cover(wallet, desksOf(session))
  const { timestamp } = await wallet.root.now()
  for (const { url, delegate, validUntil, how } of covered) {
    if (how === 'kept') continue
    io.err(
      `cover: ${url} (${delegate}) may take your outputs out until ${formatTime(validUntil, timestamp)}; the money only goes to you, no fee; ` +
        '`lifeboat mandate show` tells what was signed, `lifeboat mandate revoke` ends it, --no-cover leaves it out\n',
    )
  }
  for (const { url, reason } of failed) io.err(`no cover by ${url}: ${reason}\n`)
  if (covered.length === 0)
    io.err('nobody takes your outputs out while you are offline: add another watcher to --watcher-urls\n')
  return covered
}

function giveCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'give',
    describe: 'Sign a mandate for each watcher and hand it in there',
    words: {
      '[delegate]': "one delegate only: a watcher's L1 address, or `anyone`; every configured watcher when left out",
    },
    entries: {
      days: { kind: integer({ min: 1, max: 3650 }), default: DEFAULT_MANDATE_DAYS, describe: 'For how long' },
      position: { kind: text(), optional: true, describe: 'One output only; every output when left out' },
      minAmount: {
        kind: text(),
        optional: true,
        describe: 'Leave outputs below this amount of ETH (or smallest units of a token) alone',
      },
      maxFee: {
        kind: text(),
        default: '0',
        describe: 'Most that a coordinator may keep of each output when it is claimed, in ETH; 0: nothing',
      },
      out: {
        kind: path(),
        optional: true,
        describe: 'Also write it to this file, for a delegate that is no configured watcher',
      },
    },
    sign: true,
    examples: ['lifeboat mandate give', 'lifeboat mandate give anyone --out mandate.json'],
    run: async (session, [delegate], config) => {
      const { wallet } = session
      if (config.out !== undefined) assertWritable('--out', config.out)
      const ether = await wallet.tokens.resolve('ETH')
      const options = {
        days: config.days,
        ...(config.position === undefined ? {} : { position: parsePosition(config.position) }),
        ...(config.minAmount === undefined ? {} : { minAmount: parseTokenAmount(config.minAmount, ether) }),
        maxFee: config.maxFee === '0' ? 0n : parseTokenAmount(config.maxFee, ether),
        show: (mandate: Mandate) =>
          io.err(`signing\n${mandateInWords(mandate, wallet.domain, formatTime).join('\n')}\n`),
      }
      const given =
        delegate === undefined ? await giveToAll(session, options) : await giveToOne(session, delegate, options)
      if (config.out !== undefined) await writeMandates(session, given, config.out)
      const lines = given.map(({ signed, holders }) => {
        const { validUntil, epoch, delegate: to } = signed.mandate
        const who = to === ZERO_ADDRESS ? 'anyone' : to
        const where = holders.length === 0 ? 'nobody was handed it yet' : `handed to ${holders.join(', ')}`
        return `${who} may take your outputs out until ${formatTime(validUntil)} (series ${epoch}); ${where}\n`
      })
      return { json: given.map(({ signed, holders }) => ({ ...signed, holders })), text: lines.join('') }
    },
  })
}

type Given = Readonly<{ signed: SignedMandate; holders: readonly string[] }>
type Terms = Omit<Parameters<typeof giveMandate>[1], 'delegate'>

async function giveToAll(session: Session, options: Terms): Promise<Given[]> {
  const desks = desksOf(session)
  if (desks.length === 0) {
    throw configError('DELEGATE_MISSING', 'whom is the mandate for?', {
      got: 'no delegate, and no watcher is configured',
      want: '--watcher-urls, or `lifeboat mandate give <address>`',
    })
  }
  const { covered, failed } = await cover(session.wallet, desks, options)
  for (const { url, reason } of failed) session.io.err(`${url}: ${reason}\n`)
  if (covered.length === 0) {
    throw invalid('MANDATE_REFUSED', 'no watcher takes the mandate', {
      got: failed.map(({ reason }) => reason).join('; '),
      want: 'one that does: another of --watcher-urls',
    })
  }
  return covered.map(({ signed, url }) => ({ signed, holders: [url] }))
}

/** Handed to those configured watchers that can act by it. */
async function giveToOne(session: Session, word: string, options: Terms): Promise<Given[]> {
  const { wallet, keys, io } = session
  const delegate = word === 'anyone' ? ZERO_ADDRESS : parseParty(word, keys)
  const signed = await giveMandate(wallet, { ...options, delegate })
  const holders: string[] = []
  for (const desk of desksOf(session)) {
    try {
      const theirs = await desk.delegate(wallet.account.address)
      if (delegate !== ZERO_ADDRESS && theirs !== delegate) continue
      await handIn(wallet, desk, signed)
      holders.push(desk.url)
    } catch (error) {
      if (!isLifeboatError(error)) throw error
      io.err(`${desk.url}: ${error.message}\n`)
    }
  }
  return [{ signed, holders }]
}

/** Several: the file's name with a number before its ending. */
async function writeMandates({ wallet, io }: Session, given: readonly Given[], out: string): Promise<void> {
  for (const [i, { signed }] of given.entries()) {
    const file = i === 0 ? out : out.replace(/(\.[^./]*)?$/, `-${i + 1}$1`)
    await writeFile(file, formatMandateFile(signed, wallet.domain))
    wallet.store.saveMandateHolder(signed.signature as Hash, file)
    io.err(`written to ${file}\n`)
  }
}

function revokeCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'revoke',
    describe: 'End all mandates of a series on L1, at once and for ever',
    entries: { series: { kind: integer(), optional: true, describe: 'Which series; the current one when left out' } },
    sign: true,
    run: async ({ wallet }, _words, { series }) => {
      const done = await revokeMandates(wallet, series)
      return { json: done, text: `mandate series ${done.epoch} is revoked\n` }
    },
  })
}

function showCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'show',
    describe: 'List the mandates given: to whom, until when, who was handed them, and whether they stand',
    entries: {},
    sign: false,
    run: async ({ wallet }) => {
      const mandates = await listMandates(wallet)
      const rows = mandates.map(({ mandate, state, holders }) => [
        mandate.delegate === ZERO_ADDRESS ? 'anyone' : mandate.delegate,
        `series ${mandate.epoch}`,
        mandate.position === 0 ? 'every output' : `output ${mandate.position}`,
        mandate.maxFee === 0n ? 'no fee' : `fee up to ${mandate.maxFee}`,
        `until ${formatTime(mandate.validUntil)}`,
        state,
        holders.length === 0 ? 'handed to nobody' : `handed to ${holders.join(', ')}`,
      ])
      return { json: mandates, text: rows.length === 0 ? 'no mandates\n' : formatTable(rows) }
    },
  })
}

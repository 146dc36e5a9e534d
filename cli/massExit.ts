/** lifeboat mass-exit: a coordinator takes a whole crowd out together, with its own key and bond. */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { decodeAnswer, request } from '../api/http.ts'
import { parseHash } from '../protocol/bytes.ts'
import { configError, invalid, isLifeboatError } from '../protocol/errors.ts'
import { boolean, integer, seconds, url } from '../service/configTypes.ts'
import { createCoverDesk } from '../wallet/cover.ts'
import { findOwnBatches, type Tended, tendAll } from '../wallet/massExitDefence.ts'
import { type MassExitWish, parseMassExitFile, watcherPlanSchema, wishOfPlan } from '../wallet/massExitFile.ts'
import { PLANNED_GAS, START_GAS, TRANSACTION_GAS_CAP } from '../wallet/massExitPlan.ts'
import { type MassExitPlan, planMassExit, startMassExit } from '../wallet/massExitStart.ts'
import { findBatches, type KnownBatch } from '../wallet/massExits.ts'
import { outputsToLeave } from '../wallet/owned.ts'
import { configureOutput } from './command.ts'
import { type CliIo, formatTime } from './io.ts'
import { describeBatch, describePlan, describeStarted } from './massExitWords.ts'
import { createProgressBar } from './progress.ts'
import { createWalletCommand } from './walletCommand.ts'
import type { Session } from './walletSession.ts'
import { findSuspectBlock } from './watcherView.ts'

export function createMassExitCommand(io: CliIo): Command {
  const command = new Command('mass-exit').description(
    'Take a whole crowd out together: one place in the queue and one bond for thousands of outputs; each owner is paid by a claim',
  )
  return configureOutput(command, io)
    .addCommand(planCommand(io))
    .addCommand(startCommand(io))
    .addCommand(statusCommand(io))
    .addCommand(defendCommand(io))
}

/** Characters of an id that name a mass exit, its 0x among them. */
const FEWEST_OF_ID = 6

const WISH_WORDS = { '[file]': 'JSON file of outputs and mandates; your own outputs when left out' }
const WISH_ENTRIES = {
  fromWatcher: { kind: url(), optional: true, describe: "Take the outputs of this watcher's plan, and its mandates" },
  suspectBlock: {
    kind: integer(),
    optional: true,
    describe:
      'First block held for withheld or invalid: what is not older is left out; asked of the watchers when left out',
  },
  gasPerTransaction: {
    kind: integer({ min: Number(START_GAS) + 1_000, max: Number(TRANSACTION_GAS_CAP) }),
    default: Number(PLANNED_GAS),
    describe: 'Most gas of one L1 transaction; the plan splits by it',
  },
} as const

function planCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'plan',
    describe:
      'Show what a mass exit would be: batches, transactions, gas, bond, cost, the last safe moment, what is left out and why',
    words: WISH_WORDS,
    entries: WISH_ENTRIES,
    sign: false,
    examples: [
      'lifeboat mass-exit plan',
      'lifeboat mass-exit plan outputs.json',
      'lifeboat mass-exit plan --from-watcher http://127.0.0.1:4500',
    ],
    run: async (session, [file], config) => {
      const { plan } = await makePlan(session, file, config)
      const { timestamp } = await session.wallet.root.now()
      return { json: plan, text: describePlan(plan, session.wallet.tokens, timestamp) }
    },
  })
}

function startCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'start',
    describe: 'Start it, in as many L1 transactions as needed; `defend` has to follow, by anybody',
    words: WISH_WORDS,
    entries: WISH_ENTRIES,
    sign: true,
    run: async (session, [file], config) => {
      const { wallet } = session
      const { plan, wish } = await makePlan(session, file, config)
      const { timestamp } = await wallet.root.now()
      io.err(describePlan(plan, wallet.tokens, timestamp))
      const started = await startMassExit(wallet, plan, { wish, progress: createProgressBar(io) })
      return { json: { started, refused: plan.refused }, text: describeStarted(started, wallet.tokens) }
    },
  })
}

function statusCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'status',
    describe: 'Show how mass exits stand: demands, deadlines, when they pay, what is paid',
    words: { '[batch]': 'id of one, or its beginning' },
    entries: {
      everyone: { kind: boolean(), default: false, describe: "Everybody's, not only those of the account" },
    },
    sign: false,
    isForAll: ({ everyone }) => everyone,
    run: async ({ wallet }, [id], { everyone }) => {
      const batches = choose(
        everyone || id !== undefined ? await findBatches(wallet.root) : await findOwnBatches(wallet),
        id,
      )
      const [{ timestamp }, head] = [await wallet.root.now(), await wallet.root.head()]
      const told = await Promise.all(batches.map((known) => describeBatch(wallet, known, { head, timestamp })))
      return {
        json: told.map(({ json }) => json),
        text: told.length === 0 ? 'no mass exits\n' : told.map(({ text }) => text).join(''),
      }
    },
  })
}

function defendCommand(io: CliIo): Command {
  return createWalletCommand(io, {
    program: 'defend',
    describe:
      'Do what a started mass exit needs: answer demands, lock it, give it its turn, pay the owners, take the bond back',
    words: { '[batch]': 'id of one, or its beginning; all of the account when left out' },
    entries: {
      once: { kind: boolean(), default: false, describe: 'One look; otherwise until nothing is left to do' },
      every: { kind: seconds({ min: 1 }), default: 12, describe: 'Pause between two looks' },
    },
    sign: true,
    examples: ['lifeboat mass-exit defend', 'lifeboat mass-exit defend 0x5a3f --once'],
    run: async (session, [id], { once, every }) => {
      const { wallet } = session
      const progress = createProgressBar(io)
      const said = new Map<string, string>()
      let looked = false
      for (;;) {
        const found = await look().catch(lookAgain)
        if (!found) continue
        const { tended, failed, timestamp } = found
        looked = true
        const [failure] = failed
        if (once && failure) throw failure.error
        if (failed.length === 0 && (once || tended.every(({ isOver }) => isOver))) {
          const text = tended.map((one) => tendedInWords(one, timestamp)).join('')
          return { json: tended, text: text === '' ? 'no mass exits of this account\n' : text }
        }
        for (const one of tended) tell(one.batchId, tendedInWords(one, timestamp))
        for (const { batchId, error } of failed) {
          tell(batchId, `mass exit ${batchId.slice(0, 10)}: ${error.code}: ${error.message}; trying again\n`)
        }
        await wallet.waiting.sleep(every * 1000)
      }

      /** A coordinator that goes away over an L1 endpoint's hiccup loses its bond. */
      async function lookAgain(error: unknown): Promise<undefined> {
        if (!looked || once || !isLifeboatError(error) || error.family !== 'retryable' || error.code === 'INTERRUPTED')
          throw error
        tell('L1', `${error.code}: ${error.message}; looking again\n`)
        await wallet.waiting.sleep(every * 1000)
        return undefined
      }

      function tell(batchId: string, line: string): void {
        if (said.get(batchId) !== line) io.err(line)
        said.set(batchId, line)
      }

      async function look() {
        const all = id === undefined ? await findOwnBatches(wallet) : await findBatches(wallet.root)
        const batches = choose(all, id)
        const { timestamp } = await wallet.root.now()
        return { timestamp, ...(await tendAll(wallet, batches, { key: randomUUID(), progress })) }
      }
    },
  })
}

function tendedInWords({ batchId, stage, did, next, at, isOver }: Tended, now: number): string {
  const done = did.length === 0 ? '' : `${did.join(', ')}; `
  const then = isOver ? `over: ${next}` : `next: ${next}${at === undefined ? '' : `, ${formatTime(at, now)}`}`
  return `mass exit ${batchId.slice(0, 10)} (${stage}): ${done}${then}\n`
}

type WishConfig = Readonly<{
  fromWatcher?: string | undefined
  suspectBlock?: number | undefined
  gasPerTransaction: number
}>

async function makePlan(
  session: Session,
  file: string | undefined,
  { fromWatcher, suspectBlock: given, gasPerTransaction }: WishConfig,
): Promise<Readonly<{ plan: MassExitPlan; wish: MassExitWish }>> {
  if (file !== undefined && fromWatcher !== undefined) {
    throw configError('CONFIG_INVALID', 'outputs come from one place', {
      got: 'a file and --from-watcher',
      want: 'a file, or --from-watcher, or neither for your own',
    })
  }
  const wish = await readWish(session, file, fromWatcher)
  const suspectBlock = given ?? (await findSuspectBlock(session))
  const desks = [...new Set([...(fromWatcher === undefined ? [] : [fromWatcher]), ...session.config.watcherUrls])].map(
    (one) => createCoverDesk({ url: one, timeoutMs: 10_000, signal: session.io.signal }),
  )
  const plan = await planMassExit(session.wallet, {
    wish,
    gasPerTransaction: BigInt(gasPerTransaction),
    progress: createProgressBar(session.io),
    ...(suspectBlock === undefined ? {} : { suspectBlock }),
    mandatesOf: async (owner) => {
      const found = await Promise.allSettled(desks.map((desk) => desk.mandatesOf(owner)))
      return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    },
  })
  return { plan, wish }
}

async function readWish(
  { wallet, io }: Session,
  file: string | undefined,
  fromWatcher: string | undefined,
): Promise<MassExitWish> {
  if (file !== undefined) return parseMassExitFile(await readText(file))
  if (fromWatcher !== undefined) {
    const options = { url: fromWatcher, signal: io.signal }
    const answer = await request(options, { path: '/v1/mass-exits/plan?entries=all', accept: 'application/json' })
    const { wish, untold } = wishOfPlan(decodeAnswer(watcherPlanSchema, answer, fromWatcher))
    if (untold > 0) io.err(`${fromWatcher} plans ${untold} more entries than it tells; they are left out here\n`)
    return wish
  }
  const { positions } = await outputsToLeave(wallet)
  return { outputs: positions.map((position) => ({ position })), mandates: [] }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw configError(
      'MASS_EXIT_FILE_INVALID',
      'cannot read the file of outputs',
      { got: file, want: 'a readable file' },
      cause,
    )
  }
}

function choose(batches: readonly KnownBatch[], id: string | undefined): readonly KnownBatch[] {
  if (id === undefined) return batches
  const wanted = id.length === 66 ? parseHash(id) : id.toLowerCase()
  const found = wanted.length < FEWEST_OF_ID ? [] : batches.filter((known) => known.id.startsWith(wanted))
  if (found.length > 0) return found
  const known = batches.slice(0, 5).map((one) => one.id)
  throw invalid('BATCH_UNKNOWN', 'no mass exit of that id', {
    got: id,
    want: `the first ${FEWEST_OF_ID} characters of one or more: ${known.join(', ') || 'there is none on L1'}`,
  })
}

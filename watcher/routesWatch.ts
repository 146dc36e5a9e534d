/** What a watcher tells about its watch (docs/spec.md section 11): status, exits, disputes, alerts, protected accounts, explanations. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { DEFAULT_PAGE, MAX_PAGE } from '../api/schemas.ts'
import { addressSchema, blockNumberTextSchema, cursorTextSchema, hashSchema, numberText } from '../api/values.ts'
import { type Address, type Hash, hexToBytes } from '../protocol/bytes.ts'
import { invalid } from '../protocol/errors.ts'
import { isBatchItem } from '../protocol/massExit.ts'
import { outputIdOf } from '../protocol/position.ts'
import type { Door } from '../service/http.ts'
import type { Alert } from './alarm.ts'
import {
  alertSchema,
  alertsPageSchema,
  disputeSchema,
  disputesPageSchema,
  exitSchema,
  exitsPageSchema,
  explanationSchema,
  protectedAccountSchema,
  protectedAccountsSchema,
  protectionSchema,
  watcherStatusSchema,
} from './apiSchemas.ts'
import type { Core } from './core.ts'
import { explainBlock, explainDispute, explainExit, explainTransaction } from './explain.ts'
import type { DisputeRecord, ExitRecord } from './facts.ts'
import { describeSafety } from './safety.ts'

const limitQuery = numberText(MAX_PAGE, 1).optional()
const switchQuery = z.enum(['true', 'false']).optional()

export type Identity = Readonly<{
  version: string
  chainId: number
  rootContract: Address
  sender: Address | undefined
}>

/** The status of the whole, for /v1/status and /healthz. */
export function statusOf(
  core: Core,
  { version, chainId, rootContract }: Identity,
): z.output<typeof watcherStatusSchema> {
  const { facts, blocks, reader, alarm, exits, disputes, peers } = core
  const { block, timestamp, finalised } = facts.l1Now()
  const { source, caughtUp, fresh } = reader.status()
  const [verified, newest] = [facts.verifiedBlock(), facts.newestBlock()]
  const safety = facts.safety()
  const advice = describeSafety(safety)
  return {
    role: 'watcher',
    version,
    chainId,
    rootContract,
    sealed: newest,
    committed: newest,
    final: blocks.newestUpTo(finalised),
    l1Block: block,
    problems: [...(fresh ? [] : ['the view of L1 is not fresh']), ...(advice === undefined ? [] : [advice])],
    verified,
    lag: newest - verified,
    safety,
    l1: { block, timestamp, finalised, source, caughtUp, fresh },
    peers: peers.report().map((peer) => ({ ...peer })),
    exits: { ...exits.counts() },
    disputes: { ...disputes.counts() },
    alerts: { ...alarm.openCounts() },
  }
}

export function addWatchRoutes(door: Door, core: Core, identity: Identity): void {
  const { exits, disputes, facts, alarm } = core

  function toExit(record: ExitRecord): z.output<typeof exitSchema> {
    const { exit, state, paid, evidence } = record
    const { bond: _, seq: __, ...shown } = exit
    const found = facts.exitFacts(exit.outputId)
    const plan = core.court?.explain(exit.outputId)
    const place = exits.placeOf(exit)
    const spend = place === undefined ? undefined : facts.spentBy(place)
    return {
      ...shown,
      ...(place === undefined ? {} : { place }),
      state,
      paid,
      evidence: [...evidence],
      output: found?.output.kind ?? 'unverified',
      ...(spend === undefined ? {} : { spend }),
      ...(plan === undefined ? {} : { plan }),
    }
  }

  function toDispute(record: DisputeRecord): z.output<typeof disputeSchema> {
    const { dispute, inputs, signed, state, competitors, answers } = record
    const { inputsHash: _, suspends, ageTime: __, ...shown } = dispute
    const found = disputeDetails(core, record)
    const plan = core.court?.explain(dispute.txHash)
    return {
      ...shown,
      state,
      memo: signed.transaction.memo,
      inputs: inputs.map((input, i) => {
        return { ...input, suspended: ((suspends >> i) & 1) === 1, ...found.inputs[i] }
      }),
      outputs: found.outputs,
      ...(found.made === undefined ? {} : { made: found.made }),
      competitors: competitors.map((competitor) => ({ ...competitor })),
      answers: [...answers],
      ...(plan === undefined ? {} : { plan }),
    }
  }

  door.route({
    method: 'get',
    path: '/v1/status',
    summary: 'How far the watch has come, and whether the chain is safe',
    answer: watcherStatusSchema,
    handle: () => statusOf(core, identity),
  })
  door.route({
    method: 'get',
    path: '/v1/exits',
    summary: 'Exits, each with what the verified blocks say of its output and what we mean to do',
    query: z.object({
      owner: addressSchema.optional(),
      /** Only exits that are neither settled nor removed, oldest turn first. */
      open: switchQuery,
      cursor: hashSchema.optional(),
      limit: limitQuery,
    }),
    answer: exitsPageSchema,
    cost: 10,
    handle: ({ query }) => {
      const limit = query.limit ?? DEFAULT_PAGE
      if (query.owner) return { exits: exits.ofOwner(query.owner).slice(0, limit).map(toExit) }
      if (query.open === 'true') return { exits: exits.open().slice(0, limit).map(toExit) }
      const page = exits.page(query.cursor ?? '', limit)
      const last = page.at(-1)
      return { exits: page.map(toExit), ...(last && page.length === limit ? { nextCursor: last.exit.outputId } : {}) }
    },
  })
  door.route({
    method: 'get',
    path: '/v1/exits/{outputId}',
    summary: 'One exit',
    params: z.object({ outputId: hashSchema }),
    answer: exitSchema,
    handle: ({ params }) => {
      const record = exits.record(params.outputId)
      if (!record || isBatchItem(record.exit))
        throw unknown('EXIT_UNKNOWN', 'L1 knows no such exit', params.outputId, 'the id of an exiting output')
      return toExit(record)
    },
  })
  door.route({
    method: 'get',
    path: '/v1/disputes',
    summary: 'Disputed transactions, each with what was shown on L1 and what the verified blocks say',
    query: z.object({
      /** Only running ones, oldest first. */
      running: switchQuery,
      cursor: hashSchema.optional(),
      limit: limitQuery,
    }),
    answer: disputesPageSchema,
    cost: 10,
    handle: ({ query }) => {
      const limit = query.limit ?? DEFAULT_PAGE
      if (query.running === 'true') {
        const running = facts.disputes(Number.MAX_SAFE_INTEGER)
        return { disputes: running.slice(0, limit).map(toDispute) }
      }
      const page = disputes.page(query.cursor ?? '', limit)
      const last = page.at(-1)
      const next = last && page.length === limit ? { nextCursor: last.dispute.txHash } : {}
      return { disputes: page.map(toDispute), ...next }
    },
  })
  door.route({
    method: 'get',
    path: '/v1/disputes/{txHash}',
    summary: 'One dispute',
    params: z.object({ txHash: hashSchema }),
    answer: disputeSchema,
    handle: ({ params }) => {
      const record = disputes.record(params.txHash)
      if (record) return toDispute(record)
      throw unknown('DISPUTE_UNKNOWN', 'L1 knows no such dispute', params.txHash, 'the hash of a disputed transaction')
    },
  })
  door.route({
    method: 'get',
    path: '/v1/alerts',
    summary: 'Alerts in the order raised',
    query: z.object({ cursor: cursorTextSchema.optional(), limit: limitQuery }),
    answer: alertsPageSchema,
    handle: ({ query }) => {
      const limit = query.limit ?? DEFAULT_PAGE
      const page = alarm.page(query.cursor ?? 0, limit)
      const last = page.at(-1)
      return { alerts: page.map(toAlert), ...(last && page.length === limit ? { nextCursor: last.id } : {}) }
    },
  })
  door.route({
    method: 'get',
    path: '/v1/explain/{kind}/{subject}',
    summary: 'Why: the facts behind an exit (output id), a dispute or a tx (hash) or a block (number)',
    params: z.object({ kind: z.enum(['exit', 'dispute', 'tx', 'block']), subject: z.string().max(66) }),
    answer: explanationSchema,
    cost: 5,
    handle: ({ params: { kind, subject } }) => {
      const found = explain(core, kind, subject)
      if (!found)
        throw unknown(UNKNOWN_CODES[kind], `no such ${kind}`, subject, 'one that L1 or a verified block knows')
      return found
    },
  })
}

/** Of inputs and outputs what is known without building a proof. */
function disputeDetails({ exits, disputes, facts }: Core, { dispute, inputs, signed }: DisputeRecord) {
  const made = disputes.madeAt(dispute.txHash)
  const fateOf = (outputId: Hash, position: number | undefined) => {
    const exit = exits.record(outputId)?.state
    const spend = position === undefined ? undefined : facts.spentBy(position)
    return { ...(exit && { exit }), ...(spend === undefined || spend === made ? {} : { spend }) }
  }
  const txHash = hexToBytes(dispute.txHash)
  return {
    made,
    inputs: inputs.map(({ outputId, position }) => fateOf(outputId, position)),
    outputs: signed.transaction.outputs.map(({ owner, token, amount }, output) => {
      const outputId = outputIdOf(txHash, output)
      return { outputId, owner, token, amount, ...fateOf(outputId, made === undefined ? undefined : made + output) }
    }),
  }
}

/** Calls that change something. `token`: what they must bear; without one they are refused, whoever asks. */
export function addAdminRoutes(door: Door, core: Core, token: string | undefined, sender: Address | undefined): void {
  const { alarm, protection } = core
  for (const path of ['/v1/alerts/:id/acknowledge', '/v1/protected-accounts', '/v1/protected-accounts/:owner/remove']) {
    door.app.use(path, async (c, next) => {
      const refusal = findRefusal(c.req.method, c.req.header('authorization'), token)
      return refusal ? c.json({ error: refusal }, refusal.code === 'TOKEN_UNSET' ? 403 : 401) : next()
    })
  }
  door.route({
    method: 'post',
    path: '/v1/alerts/{id}/acknowledge',
    summary: 'Says that somebody has seen the alert; needs the token',
    params: z.object({ id: cursorTextSchema }),
    body: z.object({ by: z.string().min(1).max(100) }),
    answer: alertSchema,
    handle: ({ params, body }) => toAlert(alarm.acknowledge(params.id, body.by)),
  })
  door.route({
    method: 'get',
    path: '/v1/protected-accounts',
    summary: 'Accounts that this watcher takes out when the chain turns unsafe; needs the token',
    answer: protectedAccountsSchema,
    handle: () => ({ accounts: protection.all(), ...(sender ? { sender } : {}) }),
  })
  door.route({
    method: 'post',
    path: '/v1/protected-accounts',
    summary: "Registers an owner's signed mandate; needs the token",
    body: protectionSchema,
    answer: protectedAccountSchema,
    handle: ({ body }) => protection.add(body, Date.now()),
  })
  door.route({
    method: 'post',
    path: '/v1/protected-accounts/{owner}/remove',
    summary: 'Forgets all mandates of an owner; they stay valid on L1. Needs the token',
    params: z.object({ owner: addressSchema }),
    answer: z.object({ removed: z.boolean() }),
    handle: ({ params }) => ({ removed: protection.remove(params.owner) }),
  })
}

const UNKNOWN_CODES = {
  exit: 'EXIT_UNKNOWN',
  dispute: 'DISPUTE_UNKNOWN',
  tx: 'TRANSACTION_UNKNOWN',
  block: 'BLOCK_UNKNOWN',
} as const

function explain(core: Core, kind: keyof typeof UNKNOWN_CODES, subject: string) {
  if (kind === 'block') {
    const number = blockNumberTextSchema.safeParse(subject).data
    return number === undefined ? undefined : explainBlock(core, number)
  }
  const hash = hashSchema.safeParse(subject).data
  if (!hash) return undefined
  if (kind === 'exit') return explainExit(core, hash)
  return kind === 'dispute' ? explainDispute(core, hash) : explainTransaction(core, hash)
}

/** The same length for both sides of the comparison, whatever was sent. */
function findRefusal(method: string, header: string | undefined, token: string | undefined) {
  if (method === 'OPTIONS') return undefined
  if (token === undefined) {
    const want = 'a watcher started with a token file'
    return { code: 'TOKEN_UNSET', message: 'this watcher takes no such calls', got: 'no token configured', want }
  }
  const digest = (text: string) => createHash('sha256').update(text).digest()
  if (header !== undefined && timingSafeEqual(digest(header), digest(`Bearer ${token}`))) return undefined
  return {
    code: 'TOKEN_WRONG',
    message: 'not the token',
    got: header ? 'another' : 'none',
    want: 'Authorization: Bearer',
  }
}

function toAlert(alert: Alert): z.output<typeof alertSchema> {
  return { ...alert, details: { ...alert.details } }
}

function unknown(code: string, message: string, got: string, want: string) {
  return invalid(code, message, { got, want })
}

/**
 * Mass exits over HTTP (docs/spec.md section 6.4): a wallet hands its owner's mandate in, and anyone sees what batches there are and what this
 * watcher would do now. Open: an owner's signature lets a mandate in.
 */
import { z } from 'zod'
import { DEFAULT_PAGE, MAX_PAGE } from '../api/schemas.ts'
import { addressSchema, hashSchema, numberText } from '../api/values.ts'
import { invalid, isLifeboatError, type LifeboatError, retryable } from '../protocol/errors.ts'
import { evidenceDeadline, payableAfter } from '../protocol/exit.ts'
import { batchDeadlines } from '../protocol/massExit.ts'
import type { Door } from '../service/http.ts'
import { ENTRIES_PER_BATCH } from './coordinator/plan.ts'
import type { Core } from './core.ts'
import type { BatchRecord, EntryUse } from './court/batchTypes.ts'
import {
  mandatesAnswerSchema,
  mandatesBodySchema,
  mandatesOfOwnerSchema,
  massExitPlanSchema,
  type massExitSchema,
  massExitsPageSchema,
} from './massExitSchemas.ts'

/** Entries of a planned batch that are told, unless all are asked for: a batch has no more than ENTRIES_PER_BATCH, a plan 100,000 in all. */
const MOST_SHOWN = 100

export function addMassExitRoutes(door: Door, core: Core): void {
  const { batches, coordinator, facts, court } = core
  const { mandates, sender } = coordinator
  const delegate = sender ? { delegate: sender } : {}
  const refusal = refusalOf(core)

  function toMassExit(record: BatchRecord): z.output<typeof massExitSchema> {
    const { batchId, batch, state, item, locked, ticket, openDemands, demands, strikes, uses } = record
    const { minExitPeriod } = facts.parameters
    const { lastMove } = facts.halt()
    const shares = countUses(uses)
    return {
      batchId,
      state,
      coordinator: batch.coordinator,
      own: batch.coordinator === sender,
      token: batch.token,
      entries: batch.count,
      total: batch.total,
      bond: batch.bond,
      startedAt: batch.startedAt,
      deadlines: batchDeadlines(batch.startedAt, minExitPeriod),
      demands: { open: openDemands, answered: [...demands.values()].filter(({ answered }) => answered).length },
      ...(item &&
        locked && {
          locked: {
            lockedAt: locked.l1Timestamp,
            strike: evidenceDeadline(item.exitableAt, minExitPeriod, lastMove),
            payable: payableAfter(item.exitableAt, minExitPeriod, lastMove),
            turned: ticket !== undefined,
          },
        }),
      strikes: strikes.size,
      shares: { ...shares, open: batch.count - uses.size },
    }
  }

  door.route({
    method: 'post',
    path: '/v1/mandates',
    summary: 'Hands in mandates: their owners leave together with others when the chain turns unsafe',
    body: mandatesBodySchema,
    answer: mandatesAnswerSchema,
    cost: 20,
    handle: ({ body }) => ({
      ...delegate,
      results: body.mandates.map((signed) => {
        try {
          if (refusal) throw refusal
          return { state: mandates.add(signed, Date.now()) ? ('added' as const) : ('known' as const) }
        } catch (error) {
          // One bad mandate must not keep the others out; a store that is full keeps out all of them.
          if (!isLifeboatError(error) || error.family !== 'invalid') throw error
          return { error: tellError(error) }
        }
      }),
    }),
  })
  door.route({
    method: 'get',
    path: '/v1/mandates/{owner}',
    summary: 'The mandates of an owner that were handed in here, and whether this watcher takes any',
    params: z.object({ owner: addressSchema }),
    answer: mandatesOfOwnerSchema,
    handle: ({ params: { owner } }) => ({
      ...delegate,
      ...(refusal && { refused: tellError(refusal) }),
      mandates: mandates.of(owner).map(({ mandate, signature }) => {
        return { mandate, signature, revoked: facts.revokedAt(owner, mandate.epoch) !== undefined }
      }),
    }),
  })
  door.route({
    method: 'get',
    path: '/v1/mass-exits',
    summary: 'Mass exits on L1: state, deadlines, demands, strikes, shares',
    query: z.object({ cursor: hashSchema.optional(), limit: numberText(MAX_PAGE, 1).optional() }),
    answer: massExitsPageSchema,
    cost: 5,
    handle: ({ query }) => {
      const limit = query.limit ?? DEFAULT_PAGE
      const page = batches.page(query.cursor ?? '', limit)
      const last = page.at(-1)
      return { massExits: page.map(toMassExit), ...(last && page.length === limit ? { nextCursor: last.batchId } : {}) }
    },
  })
  door.route({
    method: 'get',
    path: '/v1/mass-exits/plan',
    summary: 'Which outputs this watcher would take out together now, in which batches, for what gas and bond',
    query: z.object({ entries: z.literal('all').optional() }),
    answer: massExitPlanSchema,
    cost: 20,
    handle: ({ query }) => {
      const most = query.entries === 'all' ? ENTRIES_PER_BATCH : MOST_SHOWN
      const plan = court?.planMassExit?.()
      if (!plan) {
        const details = {
          got: court ? 'no readings of L1 yet' : 'a watcher without a key',
          want: 'a watcher that acts',
        }
        throw retryable('PLAN_UNKNOWN', 'this watcher can plan no mass exit now', details)
      }
      const { isDue, lastStart, batches: planned, singles, refused } = plan
      const reasons: Record<string, number> = {}
      for (const { reason } of refused) reasons[reason] = (reasons[reason] ?? 0) + 1
      return {
        due: isDue,
        ...(lastStart === undefined ? {} : { lastStart }),
        verified: facts.verifiedBlock(),
        mandates: mandates.count(),
        ...delegate,
        batches: planned.map(({ token, kind, entries, owners, total, gas, bondWei, costWei, payableAt }) => ({
          ...{ token, kind, owners, total, gas, payableAt },
          entries: entries.slice(0, most).map((entry) => ({ ...entry })),
          count: entries.length,
          bond: bondWei,
          cost: costWei,
        })),
        drafts: coordinator.drafts().map(({ root, token, entries, madeAt, until }) => {
          return { root, token, count: entries.length, madeAt, until }
        }),
        singles: singles.length,
        refused: reasons,
      }
    },
  })
}

/** Who would do nothing for a crowd must not be trusted by it: an owner with a mandate here would look for no other watcher. */
function refusalOf({ coordinator, court }: Core): LifeboatError | undefined {
  if (court?.isCoordinator && coordinator.sender) return undefined
  return invalid('MANDATES_NOT_TAKEN', 'this watcher starts no mass exits: a mandate here would protect nobody', {
    got: court && coordinator.sender ? 'a budget of 0 for its own mass exits' : 'a watcher without a key',
    want: 'a watcher with a key, and a massExitBudget above 0',
  })
}

function tellError({ code, message, details }: LifeboatError) {
  return { code, message, got: details.got, want: details.want }
}

function countUses(uses: ReadonlyMap<number, EntryUse>) {
  const counts = { claimed: 0, placed: 0, released: 0 }
  for (const { kind } of uses.values()) counts[kind]++
  return counts
}

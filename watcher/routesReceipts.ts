/** Receipts over HTTP (docs/spec.md section 8.8): a user's wallet hands them in, and asks what became of them. Open: a signature of the operator lets one in. */
import { z } from 'zod'
import { signedReceiptSchema } from '../api/schemas.ts'
import { hashSchema } from '../api/values.ts'
import { isLifeboatError } from '../protocol/errors.ts'
import type { Door } from '../service/http.ts'
import type { Core } from './core.ts'

const RECEIPTS_AT_ONCE = 100
export const receiptStateSchema = z
  .enum(['kept', 'open', 'broken', 'displaced', 'void-anchor', 'unknown', 'contradicted', 'slashed'])
  .describe('kept and open are well; broken, displaced and contradicted are on their way to L1')

const receiptResultSchema = z.union([
  z.object({ state: receiptStateSchema }),
  z.object({ error: z.object({ code: z.string(), message: z.string(), got: z.unknown(), want: z.unknown() }) }),
])

export function addReceiptRoutes(door: Door, { receipts }: Pick<Core, 'receipts'>): void {
  door.route({
    method: 'post',
    path: '/v1/receipts',
    summary: 'Hands in receipts: each is watched while L1 knows its anchor, and broken on L1 if it must be',
    body: z.object({ receipts: z.array(signedReceiptSchema).min(1).max(RECEIPTS_AT_ONCE) }),
    answer: z.object({ results: z.array(receiptResultSchema) }),
    cost: 20,
    handle: ({ body }) => ({
      results: body.receipts.map((signed) => {
        try {
          return { state: receipts.add(signed) }
        } catch (error) {
          // One bad receipt must not keep the others out; a store that is full keeps out all of them.
          if (!isLifeboatError(error) || error.family !== 'invalid') throw error
          const { code, message, details } = error
          return { error: { code, message, got: details.got, want: details.want } }
        }
      }),
    }),
  })
  door.route({
    method: 'get',
    path: '/v1/receipts/{txHash}',
    summary: 'What became of the receipts for a transaction; none when nobody handed one in',
    params: z.object({ txHash: hashSchema }),
    answer: z.object({
      receipts: z.array(z.object({ signed: signedReceiptSchema, state: receiptStateSchema, addedAt: z.int() })),
    }),
    handle: ({ params }) => ({
      receipts: receipts.ofTransaction(params.txHash).map(({ signed, ...rest }) => {
        return { ...rest, signed: { ...signed, path: [...signed.path] } }
      }),
    }),
  })
}

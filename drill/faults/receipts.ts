/** Receipts, as users hand them to a watcher. */
import { invalid } from '../../protocol/errors.ts'
import type { SignedReceipt } from '../../protocol/receipt.ts'
import type { DrillWatcher } from '../watchers.ts'

/** Over HTTP, as a wallet does. */
export async function handIn(watcher: DrillWatcher, receipts: readonly SignedReceipt[]): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const url = `${watcher.watcher().url}/v1/receipts`
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ receipts }) })
  if (!answer.ok) throw invalid('RECEIPTS_REFUSED', 'the watcher took no receipt', { got: answer.status, want: 200 })
}

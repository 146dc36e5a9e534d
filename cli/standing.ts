/** How a payment stands, as a line for people (docs/guide-wallet.md, "How a payment stands"). */
import type { PaymentStanding } from '../wallet/standing.ts'

/** `time` prints L1 seconds. */
export function standingInWords(payment: PaymentStanding, time: (seconds: number) => string): string {
  const { standing, why, todo, doBy, finalAfter } = payment
  const parts = [
    `${standing}: ${why}`,
    ...(standing === 'included' && finalAfter !== undefined ? [`final after ${time(finalAfter)}`] : []),
    ...(todo === undefined ? [] : [`do: ${todo}${doBy === undefined ? '' : `, by ${time(doBy)}`}`]),
  ]
  return parts.join('; ')
}

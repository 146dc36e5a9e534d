/** Where alerts go besides the API and the feed (docs/honest-watcher.md): the log, and a webhook that knows it is us. */
import { createHmac } from 'node:crypto'
import { retryable } from '../protocol/errors.ts'
import type { Log } from '../service/log.ts'
import type { Alert, AlertSink } from './alarm.ts'

/** Never fails. An alert is about the chain, so it is no `error` line, which would mean that we ourselves are wrong. */
export function createLogSink(log: Log): AlertSink {
  return {
    name: 'log',
    async deliver(alert) {
      const fields = {
        code: alert.code,
        severity: alert.severity,
        id: alert.id,
        action: alert.action,
        ...alert.details,
      }
      if (alert.severity === 'info') log.info('alert.raised', fields)
      else log.warn('alert.raised', fields)
    },
  }
}

export type WebhookOptions = Readonly<{
  /** Stable over restarts: deliveries are kept under it. */
  name: string
  url: string
  /** Shared with the receiver; from a file. */
  secret: string
  timeoutMs: number
  /** Local clock, ms. */
  now(): number
  fetch?: typeof fetch
}>

/**
 * POSTs each alert as JSON. `x-lifeboat-signature: t=<ms>,v1=<hex>` is HMAC-SHA256 of "<ms>.<body>" under the secret;
 * `x-lifeboat-delivery` is the same for every attempt, so that the receiver can drop doubles. Any answer but 2xx is tried again.
 */
export function createWebhookSink({
  name,
  url,
  secret,
  timeoutMs,
  now,
  fetch: send = fetch,
}: WebhookOptions): AlertSink {
  return {
    name,
    async deliver(alert) {
      const body = JSON.stringify(alertBody(alert))
      const response = await send(url, {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/json',
          'x-lifeboat-delivery': `${alert.id} ${alert.dedupe}`,
          'x-lifeboat-signature': signBody(body, secret, now()),
        },
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
      await response.body?.cancel()
      if (!response.ok) throw retryable('WEBHOOK_REFUSED', 'the webhook refused', { got: response.status, want: '2xx' })
    },
  }
}

/** For receivers too: compare in constant time, and refuse old times. */
export function signBody(body: string, secret: string, atMs: number): string {
  return `t=${atMs},v1=${createHmac('sha256', secret).update(`${atMs}.${body}`).digest('hex')}`
}

/** What goes out of the house about an alert. */
export function alertBody(alert: Alert): Readonly<Record<string, unknown>> {
  const { id, code, severity, dedupe, raisedAt, meaning, action, details } = alert
  return { id, code, severity, dedupe, raisedAt, meaning, action, details }
}

/**
 * The HTTP door of a program (docs/spec.md section 11): a route is declared once, with zod schemas, and from that are parsed its
 * requests, encoded its answers and written /openapi.json. Every door has /healthz and /metrics, limits what one client may ask, and
 * answers every failure as `{ error: { code, message, got, want } }`.
 */
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import type { z } from 'zod'
import { invalid, retryable } from '../protocol/errors.ts'
import { errorToFault, type StatusByCode } from './httpErrors.ts'
import { jsonResponse, type NOTHING, type Route, serveRoute } from './httpRoute.ts'
import type { Log } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { type DescribedRoute, openApiDocument } from './openApi.ts'
import { clientOf, createRateLimit } from './rateLimit.ts'

export type Health = Readonly<{ ok: boolean; problems: readonly string[] }>

export type DoorLimits = Readonly<{
  /** Largest request body, unless its route says otherwise. */
  bodyBytes: number
  /** Longest time until an answer, unless its route says otherwise. */
  timeoutMs: number
  /** Requests per second and client, and how many at once; undefined: no limit. */
  rate: Readonly<{ perSecond: number; burst: number }> | undefined
}>

export const DEFAULT_LIMITS: DoorLimits = {
  bodyBytes: 1 << 20,
  timeoutMs: 30_000,
  rate: { perSecond: 100, burst: 400 },
}

export type DoorOptions = Readonly<{
  /** Label of the metrics and title of the OpenAPI document: `operator`. */
  name: string
  version: string
  log: Log
  /** Answered by /healthz with 200 or 503. */
  health?: () => Health
  metrics?: Metrics
  limits?: Partial<DoorLimits>
  /** HTTP statuses of the program's own error codes: `{ BLOCK_UNKNOWN: 404 }`. */
  statusByCode?: StatusByCode
  /** Behind a proxy of ours: the client is the last address in X-Forwarded-For. */
  trustProxy?: boolean
  /** Milliseconds; for the rate limit. */
  now?: () => number
}>

export type Door = Readonly<{
  /** For server.ts, and for tests: `app.request('/v1/status')`. */
  app: Hono<{ Bindings: HttpBindings }>
  metrics: Metrics
  /** Adds a route. All routes are added before the door opens. */
  route<
    A extends z.ZodType,
    P extends z.ZodObject = typeof NOTHING,
    Q extends z.ZodObject = typeof NOTHING,
    B extends z.ZodType = z.ZodUndefined,
  >(route: Route<P, Q, B, A>): void
}>

type DoorContext = Context<{ Bindings: HttpBindings }>

export function createDoor(options: DoorOptions): Door {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const metrics = options.metrics ?? createMetrics(options.name)
  const described: DescribedRoute[] = []
  const app = new Hono<{ Bindings: HttpBindings }>()
  const answer = createAnswer(options, limits, metrics)
  // No route knows who asks (no cookies, no sessions), so any web page may ask.
  app.use(cors({ origin: '*', exposeHeaders: ['retry-after'] }))
  addOwnRoutes(app, answer, options, metrics, described)
  return {
    app,
    metrics,
    route: (route) => {
      described.push({
        ...route,
        takesBytes: route.takeBytes !== undefined,
        givesBytes: route.giveBytes !== undefined,
      })
      app.on(route.method.toUpperCase(), route.path.replace(/\{(\w+)\}/g, ':$1'), (c) =>
        answer(
          c,
          route.path,
          () => serveRoute(route, { request: c.req.raw, params: c.req.param(), limits }),
          route.cost,
        ),
      )
    },
  }
}

type Answer = (c: DoorContext, label: string, run: () => Promise<Response>, cost?: number) => Promise<Response>

/** The one way through the door: the client's rate before; errors, log and metrics after. */
function createAnswer(options: DoorOptions, limits: DoorLimits, metrics: Metrics): Answer {
  const { log, statusByCode = {}, trustProxy = false, now = Date.now } = options
  const rate = limits.rate && createRateLimit({ ...limits.rate, now })

  const refuse = (label: string, error: unknown): Response => {
    const { status, body, retryAfterSeconds } = errorToFault(error, statusByCode)
    if (status === 500) log.error('http.failed', { route: label, error })
    else log.debug('http.refused', { route: label, status, code: body.error.code })
    const response = jsonResponse(body, status)
    if (retryAfterSeconds !== undefined) response.headers.set('retry-after', String(retryAfterSeconds))
    return response
  }

  return async (c, label, run, cost = 1) => {
    const start = performance.now()
    let response: Response
    try {
      const waitSeconds = rate?.take(clientOf(addressOf(c, trustProxy)), cost) ?? 0
      if (waitSeconds > 0) throw rateLimited(waitSeconds)
      response = await run()
    } catch (error) {
      response = refuse(label, error)
    }
    metrics.observeRequest(label, response.status, (performance.now() - start) / 1000)
    return response
  }
}

function addOwnRoutes(
  app: Door['app'],
  answer: Answer,
  { name, version, health }: DoorOptions,
  { registry }: Metrics,
  described: readonly DescribedRoute[],
): void {
  app.get('/healthz', (c) =>
    answer(c, '/healthz', async () => {
      const state = health?.() ?? { ok: true, problems: [] }
      return jsonResponse(state, state.ok ? 200 : 503)
    }),
  )
  app.get('/metrics', (c) =>
    answer(c, '/metrics', async () => {
      return new Response(await registry.metrics(), { headers: { 'content-type': registry.contentType } })
    }),
  )
  app.get('/openapi.json', (c) =>
    answer(c, '/openapi.json', async () => {
      return jsonResponse(openApiDocument({ title: `Lifeboat ${name}`, version }, described), 200)
    }),
  )
  app.notFound((c) =>
    answer(c, 'unknown', async () => {
      const got = `${c.req.method} ${c.req.path}`
      throw invalid('ROUTE_UNKNOWN', 'no such route', { got, want: 'one of /openapi.json' })
    }),
  )
}

function addressOf(c: DoorContext, trustProxy: boolean): string | undefined {
  const forwarded = trustProxy ? c.req.header('x-forwarded-for')?.split(',').at(-1)?.trim() : undefined
  return forwarded ?? c.env?.incoming?.socket.remoteAddress
}

function rateLimited(retryAfterSeconds: number) {
  return retryable('RATE_LIMITED', 'too many requests', {
    retryAfterSeconds,
    want: `a pause of ${retryAfterSeconds.toFixed(2)} s`,
  })
}

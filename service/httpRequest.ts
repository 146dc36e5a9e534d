/** Reading HTTP requests that strangers wrote: nothing is buffered beyond its limit, nothing reaches a handler unparsed. */
import type { z } from 'zod'
import { concatBytes } from '../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'

const MOST_ISSUES = 10

/** The whole body. Throws BODY_TOO_LARGE as soon as that is certain, without reading on; BODY_BROKEN when the client leaves. */
export async function readBytes(request: Request, limitBytes: number): Promise<Uint8Array> {
  const declared = request.headers.get('content-length')
  if (declared !== null && Number(declared) > limitBytes) throw tooLarge(Number(declared), limitBytes)
  try {
    // The HTTP parser holds a sender to the length it declared; without one we count.
    return declared === null ? await readCounting(request, limitBytes) : new Uint8Array(await request.arrayBuffer())
  } catch (cause) {
    if (isLifeboatError(cause)) throw cause
    throw invalid('BODY_BROKEN', 'the connection ended within the body', { want: 'the whole body' }, cause)
  }
}

async function readCounting(request: Request, limitBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of request.body ?? []) {
    size += part.length
    if (size > limitBytes) throw tooLarge(`more than ${limitBytes}`, limitBytes)
    parts.push(part)
  }
  return concatBytes(...parts)
}

/** Throws JSON_MALFORMED. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    const got = bytes.length === 0 ? 'an empty body' : cause instanceof Error ? cause.message : String(cause)
    throw invalid('JSON_MALFORMED', 'the body is not JSON', { got, want: 'one JSON value in UTF-8' }, cause)
  }
}

/** The schema's parsed value of one part of a request. Throws REQUEST_INVALID with the first ten faults and where they are. */
export function parsePart<S extends z.ZodType>(schema: S, part: 'path' | 'query' | 'body', raw: unknown): z.output<S> {
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const { issues } = result.error
  const got = issues.slice(0, MOST_ISSUES).map(({ path, message }) => `${[part, ...path].join('.')}: ${message}`)
  throw invalid('REQUEST_INVALID', `the request's ${part} is not what this route takes`, {
    got: issues.length > MOST_ISSUES ? [...got, `and ${issues.length - MOST_ISSUES} more`] : got,
    want: 'what /openapi.json says',
  })
}

/** Query parameters by name. Throws REQUEST_INVALID for one given twice: readers would disagree which counts. */
export function queryOf(url: string): Record<string, string> {
  const query: Record<string, string> = {}
  for (const [name, value] of new URL(url).searchParams) {
    if (Object.hasOwn(query, name)) {
      throw invalid('REQUEST_INVALID', 'a query parameter is given twice', { got: name, want: 'each one once' })
    }
    query[name] = value
  }
  return query
}

/** Whether the request's body, by its Content-Type, is JSON or bytes. Throws MEDIA_TYPE_UNKNOWN. */
export function bodyKindOf(request: Request, takesJson: boolean, takesBytes: boolean): 'json' | 'bytes' {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (takesJson && type === 'application/json') return 'json'
  if (takesBytes && type === 'application/octet-stream') return 'bytes'
  const want = [takesJson ? 'application/json' : '', takesBytes ? 'application/octet-stream' : ''].filter(Boolean)
  throw invalid('MEDIA_TYPE_UNKNOWN', 'unknown Content-Type', { got: type ?? 'none', want: want.join(' or ') })
}

/** Whether the client asks for bytes: they are named in Accept, and come before JSON. */
export function prefersBytes(request: Request): boolean {
  const accepted = request.headers.get('accept')?.toLowerCase() ?? ''
  const bytes = accepted.indexOf('application/octet-stream')
  const json = accepted.indexOf('application/json')
  return bytes >= 0 && (json < 0 || bytes < json)
}

function tooLarge(got: number | string, limitBytes: number) {
  return invalid('BODY_TOO_LARGE', 'the body is too large', {
    got: `${got} bytes`,
    want: `at most ${limitBytes} bytes`,
  })
}

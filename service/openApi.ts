/** The OpenAPI 3.1 document of a door, from the same schemas that validate its requests and encode its answers. */
import { z } from 'zod'
import { errorSchema } from './httpErrors.ts'

/** What the document says of one route. */
export type DescribedRoute = Readonly<{
  method: string
  /** With parameters in braces: `/v1/blocks/{number}`. */
  path: string
  summary: string
  params?: z.ZodObject | undefined
  query?: z.ZodObject | undefined
  body?: z.ZodType | undefined
  answer: z.ZodType
  takesBytes: boolean
  givesBytes: boolean
}>

type Json = Record<string, unknown>

const JSON_TYPE = 'application/json'
/** OpenAPI 3.1 needs no schema for raw bytes. */
const BYTES_CONTENT: Json = { 'application/octet-stream': {} }

export function openApiDocument(info: { title: string; version: string }, routes: readonly DescribedRoute[]): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) }
  }
  return { openapi: '3.1.0', info, paths, components: { schemas: { Error: schemaOf(errorSchema) } } }
}

function operationOf({ summary, params, query, body, answer, takesBytes, givesBytes }: DescribedRoute): Json {
  const requestContent = {
    ...(body ? { [JSON_TYPE]: { schema: schemaOf(body) } } : {}),
    ...(takesBytes ? BYTES_CONTENT : {}),
  }
  const answerContent = { [JSON_TYPE]: { schema: schemaOf(answer) }, ...(givesBytes ? BYTES_CONTENT : {}) }
  return {
    summary,
    parameters: [...parametersOf('path', params), ...parametersOf('query', query)],
    ...(body || takesBytes ? { requestBody: { required: true, content: requestContent } } : {}),
    responses: {
      200: { description: 'done', content: answerContent },
      default: {
        description: 'refused (4xx), to be tried again later (429, 503), or our fault (500)',
        content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

function parametersOf(place: 'path' | 'query', schema: z.ZodObject | undefined): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, part]) => ({
    name,
    in: place,
    required: place === 'path' || !z.safeParse(part as z.ZodType, undefined).success,
    schema: schemaOf(part as z.ZodType),
  }))
}

/** The form on the wire: what comes before decoding, and after encoding. */
function schemaOf(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest
}

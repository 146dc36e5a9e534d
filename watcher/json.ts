/** JSON with exact integers, for rows of the watcher's own tables: a bigint is written as its digits and an `n`. */

const BIGINT = /^-?[0-9]+n$/

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
}

/** The inverse for what `toJson` wrote. The rows are our own, so their shape is the caller's claim. */
export function fromJson<T>(text: string): T {
  return JSON.parse(text, (_key, part: unknown) =>
    typeof part === 'string' && BIGINT.test(part) ? BigInt(part.slice(0, -1)) : part,
  ) as T
}

/** For people and the API: bigints as plain decimal text. */
export function toPlain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part)))
}

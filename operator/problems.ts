/**
 * What keeps the operator from doing its work, in words, for status, health and the log. Some problems end admission: a payment must
 * not be promised a place in a block that may never reach L1.
 */
import { invalid, type LifeboatError, retryable } from '../protocol/errors.ts'

export type ProblemCode =
  | 'ANCHOR_STUCK'
  | 'ANSWER_FAILED'
  | 'DEPOSIT_LOST'
  | 'DISK'
  | 'FOREIGN_BLOCK'
  | 'HALTED'
  | 'L1_STALE'
  | 'NOT_BONDED'
  | 'OPERATOR_ROTATED'
  | 'RECEIPTS_AT_RISK'
  | 'RECEIPTS_BROKEN'
  | 'SUBMISSION_FAILED'

/** While one of these stands, nothing is accepted. */
const BLOCKING: readonly ProblemCode[] = [
  'ANCHOR_STUCK',
  'DEPOSIT_LOST',
  'FOREIGN_BLOCK',
  'HALTED',
  'L1_STALE',
  'NOT_BONDED',
  'OPERATOR_ROTATED',
  'RECEIPTS_AT_RISK',
]

/** Of those, the ones that never end: whoever hands in again is refused again. */
const FOR_GOOD: readonly ProblemCode[] = ['HALTED', 'OPERATOR_ROTATED']

export type Problem = Readonly<{ code: ProblemCode; words: string }>

export type Problems = Readonly<{
  raise(code: ProblemCode, words: string): void
  /** The same for what is so at every start: told by status and health, not as news. */
  begin(code: ProblemCode, words: string): void
  clear(code: ProblemCode): void
  /** What time alone brings, with nobody running to raise it: `words` is asked whenever problems are read, and it stands while it gives some. */
  derive(code: ProblemCode, words: () => string | undefined): void
  all(): readonly Problem[]
  /** The first that ends admission. */
  blocking(): Problem | undefined
}>

/** Why nothing is accepted, for who asked. */
export function blockedError({ code, words }: Problem): LifeboatError {
  return (FOR_GOOD.includes(code) ? invalid : retryable)(code, `not accepting: ${words}`)
}

/** `onRaise`: called when a problem appears, not each time it is found again. */
export function createProblems(onRaise: (problem: Problem) => void): Problems {
  const problems = new Map<ProblemCode, Problem>()
  const derived = new Map<ProblemCode, () => string | undefined>()

  function all(): Problem[] {
    const more = [...derived].flatMap(([code, ask]) => {
      const words = problems.has(code) ? undefined : ask()
      return words === undefined ? [] : [{ code, words }]
    })
    return [...problems.values(), ...more]
  }

  return {
    raise: (code, words) => {
      const isNew = !problems.has(code)
      problems.set(code, { code, words })
      if (isNew) onRaise({ code, words })
    },
    begin: (code, words) => {
      problems.set(code, { code, words })
    },
    clear: (code) => {
      problems.delete(code)
    },
    derive: (code, words) => {
      derived.set(code, words)
    },
    all,
    blocking: () => all().find(({ code }) => BLOCKING.includes(code)),
  }
}

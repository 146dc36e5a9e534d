/** A rule of the honest watcher that is switched off for as long as something runs: its acts are never allowed. */
import type { Rule } from '../../watcher/court/rule.ts'
import { RULES } from '../../watcher/court/rules.ts'
import type { Action } from '../../watcher/court/types.ts'

export async function withoutRule<T>(id: string, run: () => Promise<T>): Promise<T> {
  const rules = RULES.filter((rule) => rule.id === id) as { -readonly [K in keyof Rule<Action>]: Rule<Action>[K] }[]
  if (rules.length === 0) throw new RangeError(`got rule ${id}, want one of the court's`)
  const kept = rules.map(({ holds }) => holds)
  for (const rule of rules) rule.holds = () => false
  try {
    return await run()
  } finally {
    for (const [i, rule] of rules.entries()) rule.holds = kept[i] as Rule<Action>['holds']
  }
}

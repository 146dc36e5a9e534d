/** What a named rule of the honest watcher is (docs/honest-watcher.md, "Rules"). */
import type { AlertCode } from '../alerts.ts'
import type { Action, World } from './types.ts'

export type Rule<A extends Action> = Readonly<{
  id: string
  rationale: string
  /** What people are told when the rule stops an action; `quiet` where waiting is all there is to do. */
  refusal: AlertCode | 'quiet'
  holds(action: A, world: World): boolean
}>

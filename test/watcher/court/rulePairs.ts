/** The court's rules tried by pairs: an action that only this rule forbids, and its nearest neighbour that it allows. */
import type { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findBrokenRule } from '../../../watcher/court/rules.ts'
import type { Action, World } from '../../../watcher/court/types.ts'

/** `allowedWorld`: the neighbour's, where it is another. */
export type RulePair = readonly [rule: string, forbidden: Action, world: World, allowed?: Action, allowedWorld?: World]

/** A pair that may not go without its neighbour. */
export type FullPair = readonly [rule: string, forbidden: Action, world: World, allowed: Action, allowedWorld?: World]

/** A test for each pair. */
export function tryPairs(test: ReturnType<typeof suite>, pairs: readonly RulePair[]): void {
  pairs.forEach(([rule, forbidden, world, allowed, allowedWorld], i) => {
    test(`${rule} stops what it is there for (${i})`, () => {
      assert.is(findBrokenRule(forbidden, world)?.id, rule)
      if (allowed) assert.is(findBrokenRule(allowed, allowedWorld ?? world)?.id, undefined)
    })
  })
}

/** The rules that have a pair with a neighbour. */
export function triedBy(pairs: readonly RulePair[]): Set<string> {
  return new Set(pairs.filter(([, , , allowed]) => allowed).map(([rule]) => rule))
}

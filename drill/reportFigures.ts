/** What a record says in figures and in plain words, for the page and for the terminal alike. Pure. */
import type { Balance, DrillRecord, Finding, Moment, Role } from './record.ts'
import { exactAmount, formatSpan, plural, unitOf, unitsOf } from './reportFormat.ts'

export type MilestoneName = keyof DrillRecord['milestones']

export const MILESTONES: readonly Readonly<{ name: MilestoneName; label: string; meaning: string }>[] = [
  { name: 'fault', label: 'Fault', meaning: 'something was broken on purpose' },
  { name: 'detected', label: 'Detected', meaning: 'a watcher raised its first alert' },
  { name: 'acted', label: 'Acted', meaning: 'somebody honest did the first thing about it on L1' },
  { name: 'secured', label: 'Secured', meaning: 'the last thing had been done that keeps money safe' },
  { name: 'paid', label: 'Paid', meaning: 'the last honest owner had his money on L1' },
]

/** `sinceFault`, `sinceBefore`: the latter counts from the nearest milestone before it in the list that happened, and may be negative. */
export type Step = Readonly<{
  name: MilestoneName
  label: string
  meaning: string
  at: Moment | null
  blocks: number | null
  sinceFault: string | null
  sinceBefore: string | null
}>

export function stepsOf({ milestones }: DrillRecord): Step[] {
  const { fault } = milestones
  let before: Readonly<{ label: string; at: Moment }> | undefined
  return MILESTONES.map(({ name, label, meaning }) => {
    const at = milestones[name]
    const timed =
      at && fault && name !== 'fault'
        ? { blocks: at.block - fault.block, sinceFault: sayAfter(fault, at, 'the fault') }
        : undefined
    const sinceBefore = at && before && before.label !== 'Fault' ? sayAfter(before.at, at, `“${before.label}”`) : null
    if (at) before = { label, at }
    return {
      name,
      label,
      meaning,
      at,
      blocks: timed?.blocks ?? null,
      sinceFault: timed?.sinceFault ?? null,
      sinceBefore,
    }
  })
}

function sayAfter(from: Moment, to: Moment, what: string): string {
  if (from.block === to.block) return `in the same block as ${what}`
  return `${formatSpan(from, to)} ${to.block < from.block ? 'before' : 'after'} ${what}`
}

export type Loss = Readonly<{ balance: Balance; missing: bigint }>

/** Honest owners that have less than they are owed; the largest share of it first. */
export function lossesOf({ balances }: Pick<DrillRecord, 'balances'>): Loss[] {
  return balances
    .flatMap((balance) => {
      const missing = unitsOf(balance.owed) - unitsOf(balance.after)
      return balance.honest && missing > 0n ? [{ balance, missing }] : []
    })
    .sort((a, b) => shareOf(b) - shareOf(a))
}

const shareOf = ({ balance, missing }: Loss) => ratio(missing, unitsOf(balance.owed))

/** Within 0 to 1, exact to six digits; 0 of nothing. */
export function ratio(part: bigint, whole: bigint): number {
  if (whole <= 0n || part <= 0n) return 0
  return part >= whole ? 1 : Number((part * 1_000_000n) / whole) / 1_000_000
}

export type Verdict = Readonly<{ passed: boolean; headline: string; reasons: readonly string[] }>

/** Trusts the record's own word only where all else agrees with it: a run that judged nothing has passed nothing. */
export function verdictOf(record: DrillRecord): Verdict {
  const { passed, findings, balances } = record
  const losses = lossesOf(record)
  const broken = findings.filter(({ held }) => !held)
  const reasons = [
    ...(losses.length > 0 ? [sayLosses(losses)] : []),
    ...(broken.length > 0 ? [`${plural(broken.length, 'rule does', 'rules do')} not hold: ${idsOf(broken)}.`] : []),
    ...(findings.length === 0 ? ['The record has no finding: nothing was judged.'] : []),
  ]
  if (passed && reasons.length === 0) {
    const owners = new Set(balances.filter(({ honest }) => honest).map(({ owner }) => owner)).size
    return {
      passed: true,
      headline: owners === 0 ? 'Passed' : 'Passed: every honest owner got everything back',
      reasons: [
        `${plural(findings.length, 'rule was', 'rules were')} judged, and ${findings.length === 1 ? 'it holds' : 'all hold'}.`,
      ],
    }
  }
  const people = new Set(losses.map(({ balance }) => balance.owner)).size
  return {
    passed: false,
    headline: people > 0 ? `Failed: ${plural(people, 'honest owner')} lost money` : 'Failed',
    reasons: [
      ...(reasons.length === 0 ? ['The record says that the drill failed, and not why.'] : reasons),
      ...(passed ? ['The record calls this a pass, which what it holds contradicts.'] : []),
    ],
  }
}

function sayLosses(losses: readonly Loss[]): string {
  const told = losses
    .slice(0, 3)
    .map(({ balance, missing }) => `${balance.owner} lacks ${exactAmount(missing, unitOf(balance))}`)
  const more = losses.length - told.length
  return `${told.join('; ')}${more > 0 ? `; and ${plural(more, 'more balance')}` : ''}.`
}

const idsOf = (findings: readonly Finding[]) => [...new Set(findings.map(({ invariant }) => invariant))].join(', ')

/** The rules that drills judge, for readers of no specification. */
const RULES: ReadonlyMap<string, string> = new Map([
  ['EXIT-1', 'Nobody is paid for money that was spent or never was'],
  ['EXIT-2', 'Every honest owner has at least what is owed'],
  ['EXIT-3', 'Nothing is paid twice'],
  ['EXIT-4', 'Older money leaves before younger money'],
  ['EXIT-5', 'No receiver and no token stops the queue'],
  ['FUNDS-1', 'The contract holds enough for everybody'],
  ['FUNDS-2', 'Money leaves only by an exit that had its turn, to its owner'],
  ['FUNDS-3', 'A deposit is worth what arrived'],
  ['BOND-1', 'No honest actor loses a bond'],
  ['BOND-2', 'A broken receipt can be proven'],
  ['DISPUTE-2', 'A dispute ends with the right verdict'],
  ['MASS-1', 'Of an output in a mass exit only one door pays, once'],
  ['MASS-2', 'A spent output that was struck is not paid by a mass exit'],
  ['MASS-3', 'Nobody takes the place of an entry away'],
  ['MASS-4', 'Nobody is taken out unasked, and honest coordinators lose no more than removals cost'],
  ['MASS-5', 'A mass exit locks what its entries name, and nothing else'],
  ['L-1', 'No L1 endpoint hides or invents anything'],
  ['L-2', 'An act on L1 takes effect at most once'],
  ['WATCH-1', 'No watcher acts against an honest exit'],
  ['WATCH-2', 'A crash, a restart or a reorganisation of L1 changes no outcome'],
  ['WATCH-3', 'Watchers find exactly the invalid blocks invalid'],
  ['WATCH-4', 'No outage, restart or short silence starts exits'],
  ['HALT-1', 'A valid block that can be had is not halted'],
  ['HALT-2', 'The chain is halted in time at an invalid block'],
  ['HALT-3', 'After a halt nothing void is paid'],
  ['HALT-5', 'A block that nobody shows halts the chain'],
  ['DRILL', 'The drill came to its end, and no program failed'],
])

export const ruleOf = (invariant: string) => RULES.get(invariant) ?? 'See docs/invariants.md'

export const ROLES: readonly Readonly<{ role: Role; many: string }>[] = [
  { role: 'operator', many: 'operators' },
  { role: 'watcher', many: 'watchers' },
  { role: 'owner', many: 'owners' },
  { role: 'coordinator', many: 'coordinators' },
  { role: 'thief', many: 'thieves' },
  { role: 'bystander', many: 'bystanders' },
  { role: 'deployer', many: 'deployers' },
]

export type RoleSum = Readonly<{ role: Role; many: string; actors: number; gas: number; costWei: bigint }>

/** Roles that sent something, in the order above. */
export function sumByRole({ actors }: Pick<DrillRecord, 'actors'>): RoleSum[] {
  return ROLES.flatMap(({ role, many }) => {
    const those = actors.filter((one) => one.role === role && one.transactions > 0)
    if (those.length === 0) return []
    const gas = those.reduce((sum, one) => sum + one.gas, 0)
    return [
      { role, many, actors: those.length, gas, costWei: those.reduce((sum, one) => sum + unitsOf(one.costWei), 0n) },
    ]
  })
}

export const totalGas = ({ actors }: Pick<DrillRecord, 'actors'>) => actors.reduce((sum, { gas }) => sum + gas, 0)

export const l1Name = ({ l1 }: Pick<DrillRecord, 'l1'>) =>
  `${{ embedded: 'embedded L1', anvil: 'anvil', remote: 'an L1 endpoint' }[l1.kind] ?? l1.kind}, chain ${l1.chainId}`

/**
 * The named rules of the honest watcher (docs/honest-watcher.md, "Rules"). The machines propose, the rules decide: no action reaches the
 * outbox that breaks one, whatever a machine thought. Each rule says why it exists, and the docs' table is rendered from here.
 */
import { BOND_GAS, voidableUntil } from '../../protocol/exit.ts'
import { findMandateFault } from '../../protocol/mandate.ts'
import { decodePosition, isDepositPosition, transactionPosition } from '../../protocol/position.ts'
import type { AlertCode } from '../alerts.ts'
import { evidenceWindow, isOpen, isVoid, maturesAt } from './exitTime.ts'
import { TURN_GAS, TURN_RESERVE_GAS } from './policy.ts'
import type {
  Action,
  Challenge,
  DropEvidence,
  Effect,
  ProcessExits,
  Release,
  Settle,
  StartExit,
  Withdraw,
  World,
} from './types.ts'

export type Rule<A extends Action> = Readonly<{
  id: string
  rationale: string
  /** What people are told when the rule stops an action; `quiet` where waiting is all there is to do. */
  refusal: AlertCode | 'quiet'
  holds(action: A, world: World): boolean
}>

export const CHALLENGE_RULES: readonly Rule<Challenge>[] = [
  {
    id: 'SPEND-NAMES-THE-OUTPUT',
    rationale: 'WATCH-1: only a transaction whose input is the exiting output says anything about it.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ record, evidence: { spend, signed, input } }) =>
      signed.transaction.inputs[input] === record.exit.position &&
      spend === transactionPosition(spend) &&
      !isDepositPosition(spend),
  },
  {
    id: 'SPEND-IS-VERIFIED',
    rationale:
      'WATCH-1: a spend in a block that we lack or hold invalid may never have happened; the owner keeps the output then.',
    refusal: 'quiet',
    holds: ({ evidence }, { verifiedBlock }) => decodePosition(evidence.spend).block <= verifiedBlock,
  },
  {
    id: 'SPEND-BEFORE-LOCK',
    rationale:
      'V6: a block anchored at or after the lock may not spend the output. Such a spend is the block’s fault, and the exit is valid.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ record, evidence }) => evidence.header.anchor < record.exit.lockedAt,
  },
  {
    id: 'SPEND-NOT-VOID',
    rationale: 'A void block never was, and what it spent was never spent.',
    refusal: 'quiet',
    holds: ({ evidence }, world) => !isVoid(evidence.spend, world),
  },
  {
    id: 'EXIT-IS-OPEN',
    rationale: 'A paid or removed exit takes no evidence; sending it would only burn gas.',
    refusal: 'quiet',
    holds: ({ record }) => isOpen(record.state),
  },
  {
    id: 'EVIDENCE-IS-NEW',
    rationale:
      'The same piece twice is refused by the contract. Another’s other piece does not count: it may fall (S6).',
    refusal: 'quiet',
    holds: ({ record, evidence }) => !record.evidence.includes(evidence.spend),
  },
  {
    id: 'EVIDENCE-IN-TIME',
    rationale: 'S5: evidence is taken until exitableAt - MEP/4; what comes later is refused and pays for nothing.',
    refusal: 'quiet',
    holds: ({ record, deadline }, world) =>
      world.now.timestamp <= deadline && deadline <= evidenceWindow(record.exit, world).until,
  },
]

export const DROP_RULES: readonly Rule<DropEvidence>[] = [
  {
    id: 'DROP-ONLY-FALLEN',
    rationale: 'Evidence that stands protects everybody; the contract refuses to drop it, and so do we.',
    refusal: 'quiet',
    holds: ({ record, spend }, world) => record.evidence.includes(spend) && isVoid(spend, world),
  },
  {
    id: 'DROP-ONLY-FOR-VALID',
    rationale: 'Nobody is helped by clearing the way for an exit that we hold invalid or cannot judge.',
    refusal: 'quiet',
    holds: ({ record, holdsValid }) => holdsValid && isOpen(record.state),
  },
  {
    id: 'DROP-WITH-INTEREST',
    rationale: 'Dropping earns nothing: it is done for protected owners, and for all by a watcher in public service.',
    refusal: 'quiet',
    holds: ({ record }, { protectedOwners, policy }) => policy.publicService || protectedOwners.has(record.exit.owner),
  },
]

export const START_RULES: readonly Rule<StartExit>[] = [
  {
    id: 'ONLY-WHEN-UNSAFE',
    rationale:
      'A suspicion, a restart or a short silence must not cost every user a bond and the chain its users; only an unsafe chain does.',
    refusal: 'quiet',
    holds: (_action, { safety }) => safety.status === 'unsafe',
  },
  {
    id: 'OLDER-THAN-THE-FAULT',
    rationale:
      'An output of the bad block or a later one matures with the forged ones and may be void; it leaves by the dispute of its transaction.',
    refusal: 'PROTECTED_EXIT_BLOCKED',
    holds: ({ output }, { safety }) =>
      safety.status === 'safe' ||
      isDepositPosition(output.position) ||
      decodePosition(output.position).block < safety.block,
  },
  {
    id: 'NOT-EXITING',
    rationale: 'An output exits once; a second start is refused and burns gas.',
    refusal: 'quiet',
    holds: ({ output }) => output.exit === undefined,
  },
  {
    id: 'MANDATE-COVERS',
    rationale: 'We act by the owner’s word only, inside its period, amount and output; L1 refuses anything else.',
    refusal: 'PROTECTED_EXIT_BLOCKED',
    holds: ({ output, account, revoked }, { now, policy }) =>
      !revoked &&
      findMandateFault(account.mandate, {
        owner: output.owner,
        delegate: policy.sender,
        position: output.position,
        amount: output.amount,
        now: now.timestamp,
      }) === undefined,
  },
  {
    id: 'BOND-BY-FORMULA',
    rationale:
      'The bond that L1 asks for is at most 16 times the base fee’s (spec 8.2): an endpoint that lies must not lock up the key’s ETH.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ bondWei, baseFeeWei }, { policy }) =>
      bondWei * 100n <= BOND_GAS * 16n * gweiUp(baseFeeWei) * policy.bondHeadroomPercent,
  },
  {
    id: 'BOND-AFFORDABLE',
    rationale:
      'A start that the key can’t pay for would stand in the way of cheaper ones and of challenges, whose reserve stays untouched.',
    refusal: 'BUDGET_EXHAUSTED',
    holds: ({ bondWei, costWei, availableWei }) => bondWei + costWei <= availableWei,
  },
  {
    id: 'WORTH-ITS-COST',
    rationale: 'An output worth less than the gas of taking it out stays: spending more than it holds helps nobody.',
    refusal: 'PROTECTED_EXIT_BLOCKED',
    holds: ({ valueWei, costWei }) => valueWei === undefined || valueWei > costWei,
  },
]

export const PROCESS_RULES: readonly Rule<ProcessExits>[] = [
  {
    id: 'TURN-IS-DUE',
    rationale: 'Processing before the first turn reverts; after it, anyone may.',
    refusal: 'quiet',
    holds: ({ count, firstTurnAt }, { now }) => count > 0 && now.timestamp > firstTurnAt,
  },
  {
    id: 'NO-TURN-FOR-A-THIEF',
    rationale:
      'An exit that we hold invalid or can’t vouch for is not hastened: until its turn it may still fall (R17).',
    refusal: 'INTERNAL_FAULT',
    holds: ({ helpsDoubted }) => !helpsDoubted,
  },
  {
    id: 'WORTH-THE-TURN',
    rationale:
      'Turns are given for protected owners at our cost, and for strangers only if asked to and the bounties pay.',
    refusal: 'quiet',
    holds: ({ helpsProtected, bountyWei, costWei }, { policy }) =>
      helpsProtected || (policy.publicService && bountyWei >= costWei),
  },
  {
    id: 'UNDER-THE-GAS-CAP',
    rationale: 'A call that L1 cannot hold is never mined.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ count }, { policy }) => TURN_RESERVE_GAS + BigInt(count) * TURN_GAS <= policy.callGasCap,
  },
]

export const SETTLE_RULES: readonly Rule<Settle>[] = [
  {
    id: 'SETTLE-ONLY-PAYABLE',
    rationale:
      'Before its time, under evidence, void or not covered a ticket is skipped by the contract and the call reverts.',
    refusal: 'quiet',
    holds: ({ record, ticket, fundedTo }, world) =>
      record.state === 'ticket' &&
      record.evidence.length === 0 &&
      !isVoid(record.exit.position, world) &&
      world.now.timestamp > maturesAt(record.exit, world) &&
      fundedTo > ticket.from,
  },
  {
    id: 'SETTLE-WITH-INTEREST',
    rationale: 'Settling earns nothing: it is done for protected owners only.',
    refusal: 'quiet',
    holds: ({ record }, { protectedOwners }) => protectedOwners.has(record.exit.owner),
  },
]

export const RELEASE_RULES: readonly Rule<Release>[] = [
  {
    id: 'RELEASE-OWED-TO-NOBODY',
    rationale:
      'WATCH-1: a release ends an exit for ever. It needs a void output, or standing evidence in a verified block that can’t be voided any more.',
    refusal: 'quiet',
    holds: ({ record, spend, header }, world) =>
      record.state === 'ticket' &&
      (isVoid(record.exit.position, world) ||
        (record.evidence.includes(spend) &&
          decodePosition(spend).block <= world.verifiedBlock &&
          !isVoid(spend, world) &&
          world.now.timestamp > voidableUntil(header.timestamp, world.parameters.minExitPeriod))),
  },
  {
    id: 'RELEASE-ONLY-COVERED',
    rationale: 'Releasing what is not covered yet would invent money for an older ticket; the contract refuses it.',
    refusal: 'quiet',
    holds: ({ ticket, fundedTo }) => fundedTo >= ticket.from,
  },
  {
    id: 'RELEASE-WITH-INTEREST',
    rationale: 'A release earns nothing: it is done where a protected owner waits behind, or in public service.',
    refusal: 'quiet',
    holds: ({ helpsProtected }, { policy }) => helpsProtected || policy.publicService,
  },
]

export const WITHDRAW_RULES: readonly Rule<Withdraw>[] = [
  {
    id: 'WITHDRAW-FOR-PROTECTED',
    rationale:
      'A withdrawal moves a user’s money to the user at our cost: only for protected accounts, and only if asked to.',
    refusal: 'quiet',
    holds: ({ account, amount }, { protectedOwners, policy }) =>
      policy.withdrawCredits && protectedOwners.has(account) && amount > 0n,
  },
]

const RULES_OF: Readonly<Record<Action['type'], readonly Rule<Action>[]>> = {
  challenge: CHALLENGE_RULES,
  'drop-evidence': DROP_RULES,
  'start-exit': START_RULES,
  'process-exits': PROCESS_RULES,
  settle: SETTLE_RULES,
  release: RELEASE_RULES,
  withdraw: WITHDRAW_RULES,
}

export const RULES: readonly Rule<Action>[] = Object.values(RULES_OF).flat()

/** The first rule that the action breaks; undefined when it may be done. */
export function findBrokenRule(action: Action, world: World): Rule<Action> | undefined {
  return RULES_OF[action.type].find((rule) => !rule.holds(action, world))
}

/** The action if every rule allows it, else what people are to be told about it. */
export function judge(action: Action, world: World): readonly Effect[] {
  const broken = findBrokenRule(action, world)
  if (!broken) return [action]
  if (broken.refusal === 'quiet') return []
  const details = { action: action.type, subject: action.purpose, rule: broken.id, reason: broken.rationale }
  return [{ type: 'alert', code: broken.refusal, key: `${broken.id} ${action.key}`, details }]
}

/** The table of docs/honest-watcher.md, Markdown. */
export function renderRuleTable(): string {
  const rows = Object.entries(RULES_OF).flatMap(([type, rules]) =>
    rules.map(({ id, rationale }) => `| \`${id}\` | ${type} | ${rationale} |`),
  )
  return ['| rule | checked on | why |', '|---|---|---|', ...rows, ''].join('\n')
}

function gweiUp(wei: bigint): bigint {
  const gwei = 10n ** 9n
  return wei < gwei ? gwei : ((wei + gwei - 1n) / gwei) * gwei
}

/**
 * What errors mean and what to do (docs/guide-wallet.md, "Errors"): the codes of all programs, the rules of validity, the custom errors
 * of the root contract, the alerts of watchers. test/cli/errorBook.test.ts sees that no code is missing and none is left over.
 */
import { ALERTS, isAlertCode } from '../watcher/alerts.ts'
import { CONTRACT_DISPUTES, WALLET_DISPUTES } from './errorBookDisputes.ts'
import { DRILLS, STORY } from './errorBookDrill.ts'
import { FILES } from './errorBookFiles.ts'
import { DEPLOYMENTS, EMBEDDED, ENDPOINTS, OUTBOX } from './errorBookL1.ts'
import { CONTRACT_MASS_EXITS, WALLET_MASS_EXITS } from './errorBookMassExit.ts'
import { HINDRANCES, REFUSALS, RUNNING } from './errorBookOperator.ts'
import { DATABASES, FEEDS, HTTP, SIGNATURES, STARTING, VALUES } from './errorBookService.ts'
import { SURETY } from './errorBookSurety.ts'
import { WALLET } from './errorBookWallet.ts'
import { WATCHER } from './errorBookWatcher.ts'

export type ErrorEntry = Readonly<{ kind: string; meaning: string; remedy: string }>

type Page = Readonly<Record<string, readonly [meaning: string, remedy: string]>>

const VALIDITY: Page = {
  INPUT_COUNT: ['V1: a transaction has 1 to 16 inputs.', 'Build it again.'],
  OUTPUT_COUNT: ['V1: a transaction has 1 to 16 outputs.', 'Build it again.'],
  INPUT_ORDER: ['V1: inputs are strictly increasing positions.', 'Sort them, each once.'],
  AMOUNT_RANGE: ['V1: amounts are from 1 to 2^128 - 1.', 'Correct the amount.'],
  OWNER_ZERO: ['V1: an output needs an owner.', 'Correct the address.'],
  CONDITION_RESERVED: ['V1: conditions are reserved and must be zero.', 'Leave the condition empty.'],
  WITNESS_SIZE: ['V1: there are 64 bytes of signature per input.', 'Sign again.'],
  INPUT_MISSING: ['V2: the input does not exist, or not yet.', 'Wait until a deposit is credited; check the position.'],
  INPUT_SPENT: ['V3: an earlier transaction spent the input.', 'Look at `lifeboat history`; choose other inputs.'],
  WITNESS_FORGED: [
    "V4: the signature is not by the input's owner.",
    'Sign with the right key, for this chain and contract.',
  ],
  VALUE_UNBALANCED: ['V5: per token, inputs and outputs must be equal.', 'Correct amounts and change.'],
  INPUT_LOCKED: [
    'V6: an exit action named the input on L1; it can never be spent again.',
    'Choose other inputs; the exit pays on L1.',
  ],
}

const CONTRACT: Page = {
  AlreadyExiting: ['The output has an exit already, running or done.', 'See `lifeboat explain exit <position>`.'],
  AmountOutOfRange: ['Amounts are from 1 to 2^128 - 1.', 'Correct the amount.'],
  AnchorNotCanonical: [
    'The block was built on an L1 block that is not of the chain.',
    'The operator builds the block again after the L1 reorg.',
  ],
  AnchorTooOld: [
    'The submission came too late after its anchor.',
    'The operator builds the block on a newer L1 block.',
  ],
  AnchorWentBack: ['Anchors never decrease.', 'A fault of the operator.'],
  AnchorNotMined: ['The anchor is not an L1 block yet.', 'A fault of the operator.'],
  BlockUnexpected: [
    'Child blocks come in order; this is not the next.',
    'Another submission was mined first, or L1 was reorganised: submit again.',
  ],
  BlockVoid: ['The chain was halted at or below this block.', 'Exit what you owned before.'],
  BondTooSmall: [
    'The bond is below the least at the present base fee.',
    'Send more: exitBond() says how much; the wallet adds half.',
  ],
  ChainHalted: ['The chain is halted: no deposits, no blocks.', 'Exit.'],
  CommitmentMalformed: ['Root and transaction count do not fit, or there are too many.', 'A fault of the operator.'],
  DepositUnknown: ['There is no such deposit of this owner, token and amount.', 'Check position and amount.'],
  DirectCall: ['Modules are called through the root contract only.', 'Call the root contract.'],
  EvidenceKnown: ['This evidence is on file.', 'Nothing to do.'],
  EvidenceNotFinal: ["The evidence's block can still be voided.", 'Try again when MEP has passed since its block.'],
  EvidenceStands: ['The evidence stands and cannot be taken back.', 'Nothing to do.'],
  EvidenceTooLate: ['Evidence is accepted until MEP/4 before the exit is payable.', 'It is too late for this exit.'],
  EvidenceUnknown: ['No such evidence is on file.', 'Check exit and spend.'],
  ExitMismatch: ['The exit shown is not the one on record.', 'Take it from the ExitStarted event.'],
  HeaderMismatch: ['The header is not that of the block.', 'Fetch the exit data again: L1 may have been reorganised.'],
  InputMismatch: ['The transaction does not spend this output at that input.', 'Check the index.'],
  LedgerFull: ["The token's ledger is full.", 'Use another token.'],
  MandateRefused: [
    'The mandate does not cover this: delegate, period, position, amount, or it is revoked.',
    'Ask the owner for another.',
  ],
  NotBonded: [
    'The operator’s bond is below what the chain asks for: it takes no blocks.',
    'Anyone may add to the bond at the surety’s address.',
  ],
  NotCovered: [
    'The amount exceeds all that ever came in, or an older ticket waits before it.',
    'Check the amount; settle the older ones first.',
  ],
  NotIncluded: [
    'The Merkle path does not show the transaction in the block.',
    'Fetch the exit data again, from another source.',
  ],
  NotOperator: ['Only the operator may do this.', "Use the operator's key."],
  NotOwner: ['Only the owner may do this without a mandate.', "Use the owner's key."],
  NotSurety: ['Only the surety may do this.', 'Call the surety, whose address is in the deployment file.'],
  NothingToDo: ['Nothing is due, or somebody else did it.', 'Nothing.'],
  OutputMissing: ['The transaction has no such output.', 'Check the position.'],
  ModuleMismatch: ['The module was made for other parameters.', 'Deploy both with the same parameters.'],
  ParametersImpossible: ['The periods break a window rule.', 'See the rule named; docs/spec.md section 10.'],
  SpendTooYoung: [
    'The spend was built after the lock: it is no evidence.',
    'Nothing: the exit is good, the block is invalid.',
  ],
  StateUnexpected: ['The exit is in another state.', 'See `lifeboat explain exit`.'],
  TokenUnsupported: ['There is no token contract at this address.', 'Check the address.'],
  TooManyDeposits: ['2^20 deposits came since the last block.', 'Wait for the next child block.'],
  TransferFailed: [
    'The token or the receiver refused the transfer; the credit stays.',
    'Try again later, or from another contract state.',
  ],
  UnknownCall: ['The contract has no such call.', 'Use the matching version of this program.'],
  WitnessForged: ['The signature is not by the owner.', 'Sign with the right key, for this chain and contract.'],
}

/** By who says it. A code may stand on several pages. */
const PAGES: readonly (readonly [kind: string, page: Page])[] = [
  ['wallet', WALLET],
  ['wallet', FILES],
  ['wallet', WALLET_DISPUTES],
  ['wallet', WALLET_MASS_EXITS],
  ['all programs', HTTP],
  ['all programs', FEEDS],
  ['all programs', DATABASES],
  ['all programs', STARTING],
  ['all programs', SIGNATURES],
  ['all programs', VALUES],
  ['all programs', DEPLOYMENTS],
  ['L1', ENDPOINTS],
  ['L1', OUTBOX],
  ['embedded L1', EMBEDDED],
  ['operator', REFUSALS],
  ['operator', RUNNING],
  ['operator’s status', HINDRANCES],
  ['watcher', WATCHER],
  ['drill', DRILLS],
  ['story', STORY],
  ['validity rule', VALIDITY],
  ['root contract', CONTRACT],
  ['root contract', CONTRACT_DISPUTES],
  ['root contract', CONTRACT_MASS_EXITS],
  ['surety', SURETY],
]

/** Undefined for a code that is not in the book. Any casing. What several say under one code is told of each. */
export function findError(code: string): (ErrorEntry & Readonly<{ code: string }>) | undefined {
  const found = [...PAGES.flatMap(([kind, page]) => findOn(page, code, kind)), ...findAlert(code)]
  const [first, ...others] = found
  if (!first || others.length === 0) return first
  const tell = (what: 'meaning' | 'remedy') => found.map((one) => `${one.kind}: ${one[what]}`).join(' ')
  const kind = found.map((one) => one.kind).join(', ')
  return { code: first.code, kind, meaning: tell('meaning'), remedy: tell('remedy') }
}

/** Each code once. */
export function listErrors(): string[] {
  return [...new Set([...PAGES.map(([, page]) => page), ALERTS].flatMap((page) => Object.keys(page)))]
}

function findOn(page: Page, code: string, kind: string) {
  return Object.entries(page).flatMap(([name, [meaning, remedy]]) =>
    name.toLowerCase() === code.toLowerCase() ? [{ code: name, kind, meaning, remedy }] : [],
  )
}

function findAlert(code: string) {
  const alert = code.toUpperCase()
  if (!isAlertCode(alert)) return []
  const { severity, meaning, action } = ALERTS[alert]
  return [{ code: alert, kind: `watcher alert (${severity})`, meaning, remedy: action }]
}

/**
 * What errors mean and what to do (docs/guide-wallet.md, "Errors"): the codes of this program, the rules of validity, the custom errors
 * of the root contract, the alerts of watchers.
 */
import { ALERTS, isAlertCode } from '../watcher/alerts.ts'
import { CONTRACT_DISPUTES, WALLET_DISPUTES } from './errorBookDisputes.ts'
import { SURETY } from './errorBookSurety.ts'

export type ErrorEntry = Readonly<{ kind: string; meaning: string; remedy: string }>

type Page = Readonly<Record<string, readonly [meaning: string, remedy: string]>>

const WALLET: Page = {
  AMOUNT_INVALID: ['The text is not a plain decimal amount.', 'Write digits with at most one point, such as 1.5.'],
  AMOUNT_TOO_PRECISE: ['The token has no unit that small; amounts are never rounded.', 'Use fewer decimals.'],
  BALANCE_TOO_LOW: [
    'The spendable outputs do not cover amount and fee.',
    'See `lifeboat balance`: exits, open swaps and unanswered payments hold outputs back.',
  ],
  CHAIN_HALTED: [
    'The chain is halted already.',
    'Owners leave: `lifeboat exit --all`. It cannot be closed or halted a second time in order.',
  ],
  CLOSE_NOT_CONFIRMED: [
    '`lifeboat close` says what it would do and does it only with --yes.',
    'Read what it prints; add --yes to end the chain for ever.',
  ],
  COINS_FRAGMENTED: [
    'The amount lies in more outputs than one transaction can spend (16).',
    'The wallet merges by itself; try again after its merges are accepted.',
  ],
  COIN_EXITING: [
    'The output has a running exit and can never be spent again.',
    'Choose another output; the exit pays on L1.',
  ],
  CONFIG_INVALID: [
    'The configuration has problems; all of them are listed.',
    'Correct the keys named; `--help` lists them with their places.',
  ],
  DEPLOYMENT_MISSING: [
    'There is no deployment file where one was looked for.',
    'Name it with --deployment, or start `lifeboat devnet`.',
  ],
  DEPLOYMENT_MISMATCH: [
    'L1 does not hold what the deployment file says.',
    'Check the L1 endpoint and the file: one of them is of another chain.',
  ],
  ETHER_TOO_LOW: [
    'The L1 account cannot pay the bond, the amount, or the gas.',
    'Send ETH on L1 to the account named.',
  ],
  EXIT_DATA_MISSING: [
    'Nobody asked could show how the output stands on L1, or what they showed was false.',
    'Name more watchers with --watcher-urls. Each answer is in the error.',
  ],
  EXIT_EXISTS: ['The output has an exit already.', 'See `lifeboat exits`.'],
  FEE_TOKEN_REFUSED: ['The operator does not take fees in this token.', 'Use one that the error lists.'],
  KEY_MISSING: ['No key, or more than one, fits.', 'Name one with --account, or make one with `lifeboat keys new`.'],
  NOTHING_TO_WITHDRAW: [
    'L1 holds no credit for this account in this token.',
    'Exits are credited when they are processed: `lifeboat process`.',
  ],
  NOMINEE_IS_OPERATOR: ['The key nominated is the operator’s already.', 'Name another key.'],
  NOT_NOMINATED: [
    'The operator has not nominated this key, or has taken it back.',
    'With the operator’s key: `lifeboat operator-key nominate <address>`.',
  ],
  NOT_OPERATOR: [
    'Only the operator’s key may do this; the error names it.',
    'Use that key: --account. `lifeboat operator-key show` says whose it is.',
  ],
  NOT_OWNER: ['The output belongs to somebody else.', 'Use the key of its owner, or their mandate.'],
  OPERATOR_RUNS: [
    'Something answers as the operator. Two programs must not send with one key, and what a running operator promises would be lost.',
    'Wait until its blocks are on L1 (`lifeboat status`) and stop it first; --unsafe-running insists.',
  ],
  OUTPUT_SPENT: [
    'The output is spent or may be: its exit would be challenged and the bond lost.',
    'Exit the output that the spend made instead.',
  ],
  OUTPUT_VOID: [
    'The chain was halted at or below the block of this output.',
    'Exit what you owned before that block; its inputs are yours again.',
  ],
  PASSWORD_MISSING: [
    'A key has to be unlocked and there is no terminal.',
    'Put the password into a file and name it with --password-file.',
  ],
  PASSWORD_WRONG: ['The password does not open the key file.', 'Try again; nothing can be restored without it.'],
  PAYMENT_FORGOTTEN: [
    'The operator accepted a payment and now denies it.',
    'Watch the chain; exit if the operator stays like this.',
  ],
  PAYMENT_REJECTED: [
    'The operator refused the payment, with its reason.',
    'Mend the reason. A payment that takes its place should name it with --replace, so that at most one can count.',
  ],
  PAYMENT_UNANSWERED: [
    'The payment was sent and no answer came: it may count or not.',
    'Run any command again: the wallet asks first. Its coins are held until then.',
  ],
  SWAP_FORGED: ['The signatures do not fit the terms.', 'Do not sign. Ask for the file again.'],
  SWAP_HOLLOW: ['The offer brings outputs that are not what it says.', 'Do not accept it.'],
  SWAP_UNKNOWN: [
    'No open offer of yours has exactly these terms.',
    'Somebody changed a term, or the offer is done or cancelled.',
  ],
  TOKEN_SYMBOL_TAKEN: [
    'Another token has that name here.',
    'Give this one a name of your own: `lifeboat tokens add <address> --as NAME`.',
  ],
  TOKEN_UNKNOWN: ['No token of that name was used here before.', 'Give its address once.'],
  WAIT_TIMEOUT: ['What was waited for has not happened yet.', 'Look again later; nothing is lost.'],
  L1_ACT_FAILED: [
    'The root contract refuses the call, with the reason given.',
    'Look the reason up with `lifeboat explain error`.',
  ],
  L1_ACT_EXPIRED: [
    'The L1 transaction was not mined in time.',
    'Raise --budget if fees are high, and run the command again.',
  ],
  L1_ACT_OPEN: ['The L1 transaction is on its way.', 'Run the command again: the outbox goes on with it.'],
}

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

/** Undefined for a code that is not in the book. Any casing. */
export function findError(code: string): (ErrorEntry & Readonly<{ code: string }>) | undefined {
  const pages = [
    ['wallet', { ...WALLET, ...WALLET_DISPUTES }],
    ['validity rule', VALIDITY],
    ['root contract', { ...CONTRACT, ...CONTRACT_DISPUTES }],
    ['surety', SURETY],
  ] as const
  for (const [kind, page] of pages) {
    const name = Object.keys(page).find((one) => one.toLowerCase() === code.toLowerCase())
    const entry = name === undefined ? undefined : page[name]
    if (name !== undefined && entry) return { code: name, kind, meaning: entry[0], remedy: entry[1] }
  }
  const alert = code.toUpperCase()
  if (!isAlertCode(alert)) return undefined
  const { severity, meaning, action } = ALERTS[alert]
  return { code: alert, kind: `watcher alert (${severity})`, meaning, remedy: action }
}

export function listErrors(): string[] {
  return [WALLET, WALLET_DISPUTES, VALIDITY, CONTRACT, CONTRACT_DISPUTES, SURETY, ALERTS].flatMap((page) =>
    Object.keys(page),
  )
}

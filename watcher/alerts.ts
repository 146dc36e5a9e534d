/**
 * The closed list of alerts (docs/honest-watcher.md): code, severity, what it means, what the user should do. A watcher raises
 * nothing that is not here, and the table of the docs is rendered from this file.
 */

/** `critical`: money is at stake now. `warning`: it will be unless someone looks. `info`: for the record. */
export type Severity = 'info' | 'warning' | 'critical'

type Entry = Readonly<{ severity: Severity; meaning: string; action: string }>

const entry = (severity: Severity, meaning: string, action: string): Entry => ({ severity, meaning, action })

export const ALERTS = {
  INVALID_BLOCK: entry(
    'critical',
    'A committed child block breaks one of V1..V6. Nothing after it can be trusted.',
    'Stop accepting payments. Leave: start exits of all outputs of earlier blocks. Protected accounts are taken out by this watcher, which also proves the block to L1 and so ends the chain.',
  ),
  FAULT_PROVEN: entry(
    'warning',
    'A proof that a transaction breaks one of V1..V6 is on L1. In time it halts the chain at its block; later it only takes the transaction away.',
    'Nothing: CHAIN_HALTED tells the rest.',
  ),
  FAULT_UNPROVEN: entry(
    'critical',
    'A block is invalid, and the proof is not on L1 although its time is running out; or L1 refused it; or none can be built from what is here.',
    'Make sure that some watcher has ETH for gas and a working L1 endpoint. Leave by the time that INVALID_BLOCK gives: without the proof the forged outputs come after yours, and with it they never come.',
  ),
  VAULT_SHORT: entry(
    'critical',
    'An exit of a spent output can no longer be challenged, or was paid: its block was hidden until then, or nobody acted. The vault holds less than it owes.',
    'Leave now: whoever is earlier is served. Protected accounts are taken out by this watcher.',
  ),
  CHAIN_HALTED: entry(
    'critical',
    'The chain was ended on L1: by a proof that a block is invalid, by leaves that nobody revealed, by its operator, or because the operator was silent for too long.',
    'Leave. Outputs of blocks before the first void one, and deposits, can be taken out at any time; there is no hurry.',
  ),
  BLOCK_SUSPECT: entry(
    'warning',
    'A child block is committed on L1 and no peer serves its body.',
    'Add peers that may have it. Nothing else yet; the alert says when exits become necessary.',
  ),
  BLOCK_WITHHELD: entry(
    'critical',
    'A child block stayed withheld for the whole grace, or until the last safe moment. The chain counts as unsafe.',
    'Leave before the last safe moment given: start exits of all outputs of earlier blocks.',
  ),
  BLOCK_SERVED_LATE: entry(
    'info',
    'A block that had been missing arrived and is valid.',
    'Exits started meanwhile go on and pay. If an exit of an output that the block spends is past challenge by now (CHALLENGE_FAILED says so), VAULT_SHORT is told: then leave.',
  ),
  DATA_CHALLENGED: entry(
    'warning',
    'Leaves of a child block were demanded on L1, and are not revealed yet: somebody can’t get the block.',
    'Nothing, if this watcher holds the block: it answers where the operator does not. Otherwise add peers that may have it; the alert says until when the answer may take.',
  ),
  DATA_UNCHALLENGED: entry(
    'critical',
    'A child block is hidden, and this watcher can’t demand all of its leaves that nobody has demanded: its budget or its key is used up.',
    'Raise --data-challenge-budget or fund the key; other watchers can take the rest. What nobody demands by block time + DC stays hidden.',
  ),
  DATA_UNANSWERED: entry(
    'critical',
    'A demand for leaves of a child block ran out without an answer: anyone can halt the chain at that block.',
    'Nothing, if the block is hidden: this watcher halts the chain, and outputs of earlier blocks are safe. Where this watcher holds the block, find out why nobody answered, and expect the halt.',
  ),
  RECEIPT_BROKEN: entry(
    'critical',
    'The operator broke a receipt: L1, or another receipt of its own, contradicts what it promised.',
    'Do not take this payment for made; start the dispute of its transaction if you must have it. This watcher slashes the operator for it.',
  ),
  RECEIPT_WORTHLESS: entry(
    'warning',
    'A receipt names an L1 block that is not on L1: it promises nothing.',
    'Do not take this payment for made until a verified block holds it; ask the operator for another receipt.',
  ),
  PEER_SERVED_GARBAGE: entry(
    'warning',
    'A block peer sent bytes that are not the committed block. The block itself is not blamed.',
    'If it goes on, remove the peer.',
  ),
  L1_ENDPOINT_LIED: entry(
    'critical',
    'An L1 endpoint hid or invented something that its own headers disprove.',
    'Replace the endpoint. The watcher goes on with the next one configured, if any.',
  ),
  L1_ENDPOINT_LAGS: entry(
    'warning',
    'The newest block of an L1 endpoint is old: it shows the past.',
    'Check the endpoint; add a second one. The watcher reads from another as soon as that shows a newer block; the alert says from which.',
  ),
  L1_REORG_DEEP: entry(
    'warning',
    'L1 replaced more blocks than usual; everything derived from them was folded again.',
    'Nothing. Expect L1 transactions of the last minutes to be repeated.',
  ),
  L1_FINALITY_BROKEN: entry(
    'critical',
    'L1 replaced a block that had been final.',
    'Stop trusting recent deposits and exits; find out what happened on L1.',
  ),
  BLOCK_ROOT_CHANGED: entry(
    'warning',
    'After an L1 reorg a child block number carries another root than before.',
    'Treat receipts for this block as broken; keep the receipts, they are evidence against the operator.',
  ),
  INVALID_EXIT: entry(
    'warning',
    'An exit names an output that was spent.',
    'Nothing: the watcher challenges it. Watch for the outcome.',
  ),
  EXIT_UNCHALLENGED: entry(
    'critical',
    'An invalid exit is still unchallenged and the time for evidence is running out.',
    'Make sure that some watcher has ETH for gas and a working L1 endpoint; challenge by hand if in doubt.',
  ),
  EXIT_CHALLENGED_BY_US: entry('info', 'Our evidence against an invalid exit is on L1.', 'Nothing.'),
  EXIT_CHALLENGED_BY_OTHER: entry('info', 'Somebody else showed evidence against an exit.', 'Nothing.'),
  CHALLENGE_FAILED: entry(
    'critical',
    'A challenge could not be brought to L1 or was refused there.',
    'Read the reason given; the watcher tries again while there is time.',
  ),
  EXIT_OUTCOME_UNKNOWN: entry(
    'critical',
    'L1 says something about an exit that the verified blocks contradict.',
    'Look at `lifeboat explain exit`; report it.',
  ),
  EXIT_UNVERIFIABLE: entry(
    'warning',
    'An exit names an output of a block that cannot be verified, while the chain is not safe.',
    'Leave, if you have not: only exits of older outputs come before it.',
  ),
  INVALID_EXIT_PAID: entry(
    'critical',
    'An exit of a spent output was paid: nobody challenged it in time.',
    'Leave. Find out why no watcher acted.',
  ),
  EVIDENCE_DROPPED: entry(
    'warning',
    'A piece of evidence against an exit was taken back because its block is void, or its transaction invalid or judged not canonical.',
    'Nothing: the exit is judged anew.',
  ),
  DISPUTE_STARTED: entry(
    'warning',
    'Somebody disputes a transaction that a protected account signed or is paid by. Its inputs are locked; the verdict comes at the time given.',
    'Nothing at once: this watcher answers, shows what it knows, and takes your part out where it may. If you did not expect it, look at `lifeboat explain dispute`.',
  ),
  DISPUTE_EXIT_AVAILABLE: entry(
    'critical',
    'An output of a disputed transaction, or one that it spends, belongs to a protected account and can leave now, and this watcher cannot start the exit.',
    'Start it yourself before the last safe moment given, or renew the mandate; the reason is given.',
  ),
  DISPUTE_NOT_CANONICAL: entry(
    'warning',
    'A competitor of a disputed transaction is known: another transaction that spends one of its inputs. Unless an older inclusion answers it, the verdict is against the disputed one.',
    'Do not count on what the disputed transaction pays you. Its inputs go back to their owners.',
  ),
  DISPUTE_UNCHALLENGED: entry(
    'critical',
    'A verified block holds a competitor of a disputed transaction, nobody has shown it, and the time for competitors is running out.',
    'Make sure that some watcher has ETH for gas and a working L1 endpoint; otherwise money is paid twice.',
  ),
  COMPETITOR_FALSE: entry(
    'warning',
    'A competitor was shown against a disputed transaction that a verified block holds, earlier than any included competitor.',
    'Nothing: the watcher answers with the inclusion.',
  ),
  COMPETITOR_UNANSWERED: entry(
    'critical',
    'A disputed transaction stands in a verified block, a competitor was shown, and the time for the answer is running out.',
    'Make sure that some watcher has ETH for gas and a working L1 endpoint; otherwise the verdict denies a payment that was made.',
  ),
  DISPUTED_EXIT_INVALID: entry(
    'warning',
    'An exit that hangs on a dispute names an output that was spent, or an input that another included transaction spent.',
    'Nothing: the watcher challenges it. Watch for the outcome.',
  ),
  DISPUTED_EXIT_UNCHALLENGED: entry(
    'critical',
    'Such an exit is still unchallenged and the time for evidence is running out.',
    'Make sure that some watcher has ETH for gas and a working L1 endpoint; challenge by hand if in doubt.',
  ),
  DISPUTE_OUTCOME_UNKNOWN: entry(
    'critical',
    'A verdict on L1 that the verified blocks contradict: a transaction that they hold was judged not canonical, or one whose input they spend otherwise was judged canonical.',
    'Look at `lifeboat explain dispute`; leave. Find out why no watcher acted.',
  ),
  BATCH_NAMES_PROTECTED: entry(
    'warning',
    'Somebody started a mass exit that names outputs of protected accounts, for all that this watcher knows without their mandate.',
    'Nothing at once: this watcher demands the mandate of one of them, and the money can only go to the owners. Owners who authorised nobody: revoke your mandates.',
  ),
  DEMAND_UNANSWERED: entry(
    'critical',
    'A demand against a mass exit of this watcher is unanswered, and the time for the answer is running out: the batch falls, and half of its bond is lost.',
    'Make sure that the key has ETH for gas and that the L1 endpoint works.',
  ),
  BATCH_DISSOLVED: entry(
    'critical',
    'A mass exit of this watcher was dissolved over a demand that it did not answer. It had locked nothing.',
    'Find out why the demand was not answered. The outputs are taken out again, together or one by one, as long as there is time.',
  ),
  PROTECTED_EXIT_BY_OTHER: entry(
    'warning',
    'An exit of a protected account was started neither by its owner nor by this watcher.',
    'The money can only go to the owner. If nobody was authorised, revoke the mandates of this account.',
  ),
  EXIT_AUTHORISED_BY_UNKNOWN: entry(
    'info',
    'An exit was started with a mandate that this watcher does not know.',
    'Owners who did not expect it: revoke your mandates. The money can only go to the owner.',
  ),
  PROTECTED_EXIT_STARTED: entry(
    'critical',
    'This watcher started the exit of an output of a protected account.',
    'Nothing to do; it is payable at the time given.',
  ),
  PROTECTED_IN_BATCH: entry(
    'critical',
    'Outputs of protected accounts leave in a mass exit: one that this watcher started, or a stranger’s that was locked.',
    'Nothing to do; each is payable by a claim from the time given on, and the money can only go to the owners.',
  ),
  PROTECTED_EXIT_PAID: entry(
    'info',
    'An output of a protected account was paid: by its exit, or as an entry of a mass exit.',
    'Nothing.',
  ),
  PROTECTED_EXIT_BLOCKED: entry(
    'critical',
    'An output of a protected account cannot be taken out by this watcher.',
    'Exit it yourself, or renew the mandate; the reason is given.',
  ),
  MANDATE_EXPIRES: entry(
    'warning',
    'The mandate of a protected account ends soon, has ended, or was revoked.',
    'Sign a new one.',
  ),
  BUDGET_EXHAUSTED: entry(
    'critical',
    'An action needs more than its budget or more than the key holds.',
    'Fund the key or raise the budget.',
  ),
  OUTBOX_STUCK: entry(
    'critical',
    'A transaction of ours is not being mined although its deadline comes near.',
    'Check the endpoint, the fees and the nonce of the key.',
  ),
  DATABASE_PROBLEM: entry(
    'critical',
    'The database cannot be written or is damaged.',
    'Free space or replace the disk. All but what people handed in can be built again from L1 and peers.',
  ),
  CLOCK_WRONG: entry(
    'warning',
    'The local clock and L1 time differ by more than the limit.',
    'Set the clock (NTP). Waiting times are counted wrongly until then.',
  ),
  INTERNAL_FAULT: entry(
    'critical',
    'The watcher met a state that it holds to be impossible, and stopped that part of its work.',
    'Report it with the log; keep another watcher running.',
  ),
} as const satisfies Readonly<Record<string, Entry>>

export type AlertCode = keyof typeof ALERTS

export const ALERT_CODES = Object.keys(ALERTS) as readonly AlertCode[]

export function isAlertCode(text: string): text is AlertCode {
  return Object.hasOwn(ALERTS, text)
}

/** The table of docs/honest-watcher.md, Markdown. */
export function renderAlertTable(): string {
  const rows = ALERT_CODES.map((code) => {
    const { severity, meaning, action } = ALERTS[code]
    return `| \`${code}\` | ${severity} | ${meaning} | ${action} |`
  })
  return ['| alert | severity | meaning | what to do |', '|---|---|---|---|', ...rows, ''].join('\n')
}

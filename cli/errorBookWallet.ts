/** What the errors of the wallet and its commands mean (docs/guide-wallet.md). */

type Page = Readonly<Record<string, readonly [meaning: string, remedy: string]>>

export const WALLET: Page = {
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
  OUT_NOT_WRITABLE: [
    'The file that the option names cannot be written. That was looked at before anything else was done.',
    'Name a file in a directory that exists and that you may write to.',
  ],
  PARTY_UNKNOWN: [
    'The text is neither an address nor the name of a key in the keystore.',
    'Write 0x and 40 hexadecimal digits, or a name that `lifeboat keys list` shows.',
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
  SWAP_ONE_TOKEN: ['A swap gives one token for another; both sides name the same.', 'Name another token for one side.'],
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
  AMOUNT_TOO_LARGE: [
    'No amount is as large as that: the limit is 2^128 of the smallest unit.',
    'Write a smaller one, as the error says.',
  ],
  AMOUNT_ZERO: ['The amount is zero.', 'Write one above zero.'],
  BLOCK_NUMBER: ['`lifeboat explain block` wants the number of a child block.', 'Write 1 or more, in digits.'],
  CHECK_FAILED: [
    '`lifeboat check` found something not in order; `got` lists all of it.',
    'Mend each as its words say, and run it again.',
  ],
  COIN_MISREPRESENTED: [
    'The operator lists an output of yours other than L1 proves it. Nothing was signed.',
    'The operator is wrong or lies: look with `lifeboat status`, and leave (`lifeboat exit --all`) if that stays.',
  ],
  DEPOSIT_VANISHED: [
    'The deposit was sent and the L1 endpoint shows no deposit.',
    'Look at the L1 transaction in `got` before you deposit again: L1 may have been reorganised, or the endpoint be wrong.',
  ],
  ERROR_UNKNOWN: [
    'The code is not in this book: it is mistyped, or of a fault of the program (exit code 4, HTTP status 500).',
    '`lifeboat explain error` lists all codes. Report a fault of the program, with what was printed or logged.',
  ],
  EXIT_DATA_WRONG: [
    'What somebody shows of an output contradicts L1 or itself.',
    'Nothing of it was used. Name more watchers with --watcher-urls, or run the command again after an L1 reorg.',
  ],
  EXIT_UNKNOWN: ['L1 knows no such exit.', 'See `lifeboat exits --everyone`.'],
  EXIT_VANISHED: [
    'The exit was mined, and then L1 did not show it: a reorg took its block back, or the endpoint lags. It is not lost: the transaction waits to be mined again, and the wallet sends it anew while it is open.',
    'Give the same command again: it goes on with what was sent, and the output exits only once. `lifeboat exits` lists the exit when it stands.',
  ],
  INTERRUPTED: [
    'The command was ended while it waited. What was sent to L1 may still be mined.',
    'Run it again: it goes on with what was sent. A drill begins anew.',
  ],
  NETWORK_OTHER_PARAMETERS: [
    'The directory holds a devnet with other periods.',
    'Start it with the same --min-exit-period, or name another directory with --data.',
  ],
  NOTHING_TO_MERGE: ['There are fewer than two outputs of the token to merge.', 'Nothing to do.'],
  OPERATOR_ANSWERED_WRONG: [
    'The operator answers about another transaction than was asked for.',
    'The payment may count or not; any command asks again. If that stays, leave: `lifeboat exit --all`.',
  ],
  OPERATOR_OTHER_CHAIN: [
    'The operator serves another chain than the deployment file names.',
    'Correct --operator-url or --deployment.',
  ],
  OUTPUT_NOT_NAMED: [
    '`lifeboat exit` wants one output, one payment, or --all.',
    'Name a position (`lifeboat balance --outputs`), the hash of a payment, --in-flight, or --all.',
  ],
  REPLACES_NOTHING: [
    'The payment that --replace names was accepted, is unknown here, or has no input left.',
    'See `lifeboat history`. An accepted payment stands; without --replace you would pay once more.',
  ],
  TOKENS_TOO_LOW: [
    'The L1 account holds less of the token than is to be deposited.',
    'Send some to the account named, or deposit less.',
  ],
}

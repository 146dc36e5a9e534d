/** What happens in the story, step by step, each told in a line or two. */
import { encodeDeployData, encodeFunctionData, getContractAddress, type Hex } from 'viem'
import { createClient } from '../api/client.ts'
import { demoTokenAbi, demoTokenBytecode } from '../contracts/artifacts.generated.ts'
import type { RootEvent } from '../l1/rootEvents.ts'
import { type Address, ZERO_ADDRESS, ZERO_HASH } from '../protocol/bytes.ts'
import { retryable } from '../protocol/errors.ts'
import { compareTurns, type Exit } from '../protocol/exit.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import { formatAmount } from '../wallet/amounts.ts'
import type { ConnectedWallet } from '../wallet/connect.ts'
import { deposit, waitForCredit } from '../wallet/deposit.ts'
import { startExit } from '../wallet/exit.ts'
import { processDue } from '../wallet/process.ts'
import { withdraw } from '../wallet/withdraw.ts'
import type { Network } from './network.ts'
import { createRandom, makePayments, type Payments, type StoryCoin } from './storyPayments.ts'

export type StoryOptions = Readonly<{ payments: number; exits: number; seed: number }>
export type StoryToken = Readonly<{ symbol: string; address: Address }>

export type StoryOutcome = Readonly<{
  payments: number
  paymentsPerSecond: number
  exits: number
  thiefStopped: boolean
  challenger: string
  /** Payouts came in the order that the protocol demands. */
  inOrder: boolean
}>

type Say = (line: string) => void
type Stage = Readonly<{ network: Network; wallets: readonly ConnectedWallet[]; token: Address; say: Say }>

const ETHER = 10n ** 18n
const DEPOSIT = { ether: 10n * ETHER, token: 1_000n * ETHER }
/** The deterministic deployment proxy, which the embedded L1 has from its first block. */
const CREATE2_DEPLOYER: Address = '0x4e59b44847b379578588920ca78fbf26c0b4956c'
const WAIT_MS = 120_000

/** Plays it all. Throws when a step does not come about: nothing is skipped. */
export async function playStory(
  network: Network,
  options: StoryOptions,
  say: Say,
): Promise<Readonly<{ tokens: readonly StoryToken[]; outcome: StoryOutcome }>> {
  const wallets = await Promise.all(network.accounts.map(({ account }) => network.connect(account)))
  try {
    const token = await deployToken(wallets[0] as ConnectedWallet)
    const stage: Stage = { network, wallets, token, say }
    const coins = await depositAll(stage)
    const { payments, seconds } = await payAround(stage, coins, options)
    await untilVerified(stage)
    const { exits, thief } = await startExits(stage, payments, options)
    const challenger = await untilChallenged(stage, thief)
    const inOrder = await payOut(stage, exits)
    const thiefStopped = (await eventsOf(stage, ['ExitPaid'], thief)).length === 0
    say(thiefStopped ? 'The thief got nothing.' : 'THE THIEF WAS PAID.')
    return {
      tokens: [
        { symbol: 'ETH', address: ZERO_ADDRESS },
        { symbol: 'DEMO', address: token },
      ],
      outcome: {
        payments: payments.count,
        paymentsPerSecond: Math.round(payments.count / seconds),
        exits: exits.length,
        thiefStopped,
        challenger,
        inOrder,
      },
    }
  } finally {
    await Promise.all(wallets.map(({ close }) => close()))
  }
}

/** CREATE2, so that the address is known before it is sent. */
async function deployToken({ wallet }: ConnectedWallet): Promise<Address> {
  const creation = encodeDeployData({ abi: demoTokenAbi, bytecode: demoTokenBytecode as Hex })
  const data = `${ZERO_HASH}${creation.slice(2)}` as Hex
  await wallet.send({
    key: 'story:token',
    purpose: 'deploy the demo token',
    to: CREATE2_DEPLOYER,
    call: { data, valueWei: 0n },
  })
  return getContractAddress({
    opcode: 'CREATE2',
    from: CREATE2_DEPLOYER,
    salt: ZERO_HASH,
    bytecode: creation,
  }).toLowerCase() as Address
}

async function depositAll({ wallets, token, say }: Stage): Promise<StoryCoin[]> {
  say(
    `${wallets.length} accounts each deposit ${formatAmount(DEPOSIT.ether, 18)} ETH and ${formatAmount(DEPOSIT.token, 18)} DEMO on L1 ...`,
  )
  const coins = await Promise.all(
    wallets.map(async ({ wallet }) => {
      const owner = wallet.account
      const mint = encodeFunctionData({ abi: demoTokenAbi, functionName: 'mint', args: [owner.address, DEPOSIT.token] })
      await wallet.send({
        key: 'story:mint',
        purpose: 'mint demo tokens',
        to: token,
        call: { data: mint, valueWei: 0n },
      })
      const made = []
      for (const [address, amount] of [
        [ZERO_ADDRESS, DEPOSIT.ether],
        [token, DEPOSIT.token],
      ] as const) {
        const { position } = await deposit(wallet, { token: address, amount, key: `story:${address}` })
        made.push({ position, owner, token: address, amount })
      }
      for (const { position } of made) await waitForCredit(wallet, position, WAIT_MS)
      return made
    }),
  )
  say(`  ${coins.flat().length} deposits credited on the child chain`)
  return coins.flat()
}

async function payAround(
  { network, wallets, say }: Stage,
  coins: readonly StoryCoin[],
  { payments: count, seed }: StoryOptions,
): Promise<Readonly<{ payments: Payments; seconds: number }>> {
  say(`${count} payments between them ...`)
  const started = Date.now()
  const payments = await makePayments({
    client: createClient({ url: network.operator.url }),
    separator: (wallets[0] as ConnectedWallet).wallet.separator,
    accounts: wallets.map(({ wallet }) => wallet.account),
    coins,
    count,
    random: createRandom(seed),
    report: () => undefined,
  })
  const seconds = (Date.now() - started) / 1000
  say(`  accepted, each with its final place, in ${seconds.toFixed(1)} s, signing included`)
  return { payments, seconds }
}

/** Until the block that holds the last payment is on L1 and both watchers have checked it. */
async function untilVerified({ network, wallets, say }: Stage): Promise<void> {
  const { wallet } = wallets[0] as ConnectedWallet
  const open = (await createClient({ url: network.operator.url }).status()).open?.number ?? 0
  for (const url of [network.operator.url, ...network.watchers.map((watcher) => watcher.url)]) {
    const client = createClient({ url })
    await until(wallet.waiting, `${url} to have block ${open}`, async () => (await client.status()).committed >= open)
  }
  say(`  ${open} child blocks committed on L1, checked by ${network.watchers.length} watchers`)
}

/** Some owners leave with coins of any age; a thief tries to leave with a coin that was paid away. */
async function startExits(
  { network, wallets, say }: Stage,
  { coins, spent }: Payments,
  { exits: count }: StoryOptions,
): Promise<Readonly<{ exits: readonly Exit[]; thief: Exit }>> {
  const walletOf = (address: Address) =>
    (wallets.find(({ wallet }) => wallet.account.address === address) as ConnectedWallet).wallet
  const payments = coins.filter(({ position }) => !isDepositPosition(position))
  const leaving = Array.from(
    { length: count },
    (_, i) => payments[Math.floor((i * payments.length) / count)] as StoryCoin,
  )
  const stolen = spent[spent.length - 1] as StoryCoin
  say(`${leaving.length} owners exit, and a thief exits output ${stolen.position}, which was paid away ...`)
  const exits: Exit[] = []
  for (const { owner, position } of leaving) exits.push((await startExit(walletOf(owner.address), { position })).exit)
  const { exit: thief } = await startExit(walletOf(stolen.owner.address), {
    position: stolen.position,
    unsafeMaybeSpent: true,
  })
  for (const { owner, token, amount, exitableAt } of exits) {
    say(
      `  ${nameOf(network, owner)} leaves with ${formatAmount(amount, 18)} ${token === ZERO_ADDRESS ? 'ETH' : 'DEMO'}, payable after L1 time ${exitableAt}`,
    )
  }
  return { exits, thief }
}

async function untilChallenged(stage: Stage, thief: Exit): Promise<string> {
  const { network, wallets, say } = stage
  const { wallet } = wallets[0] as ConnectedWallet
  let shown: Extract<RootEvent, { type: 'EvidenceShown' }> | undefined
  await until(wallet.waiting, 'a watcher to challenge the thief', async () => {
    const [event] = await eventsOf(stage, ['EvidenceShown'], thief)
    if (event?.type === 'EvidenceShown') shown = event
    return shown !== undefined
  })
  const index = network.watcherAccounts.findIndex(({ address }) => address === shown?.challenger)
  const challenger = `watcher ${index + 1}`
  say(
    `  ${challenger} challenged the thief by itself, and was paid ${formatAmount(shown?.reward ?? 0n, 18)} ETH from the thief's bond`,
  )
  return challenger
}

/** Moves L1 time past every exit's period, processes the queue, and sends token credits on. */
async function payOut(stage: Stage, exits: readonly Exit[]): Promise<boolean> {
  const { network, wallets, token, say } = stage
  const { wallet } = wallets[0] as ConnectedWallet
  const last = Math.max(...exits.map(({ exitableAt }) => exitableAt))
  const { timestamp } = await wallet.root.now()
  say(`L1 time moves on by ${last - timestamp + 1} s, past every exit's period ...`)
  await network.passTime(Math.max(1, last - timestamp + 1))
  await until(wallet.waiting, 'every honest exit to be paid', async () => {
    await processDue(wallet, `story:${Date.now()}`)
    return (await paidOf(stage)).length >= exits.length
  })
  const paid = await paidOf(stage)
  for (const exit of exits.filter((one) => one.token === token)) {
    const owner = wallets.find(({ wallet: one }) => one.account.address === exit.owner) as ConnectedWallet
    if ((await owner.wallet.root.credit(token, exit.owner)) > 0n)
      await withdraw(owner.wallet, { token, key: exit.outputId })
  }
  const wanted = [...exits].sort(byTurn).map(({ outputId }) => outputId)
  const inOrder = wanted.every((outputId, i) => paid[i] === outputId)
  say(`  ${paid.length} exits paid, ${inOrder ? 'oldest first' : 'OUT OF ORDER'}`)
  return inOrder
}

function byTurn(a: Exit, b: Exit): number {
  return compareTurns(
    { ...a, block: decodePosition(a.position).block },
    { ...b, block: decodePosition(b.position).block },
  )
}

async function paidOf({ wallets }: Stage): Promise<string[]> {
  const { wallet } = wallets[0] as ConnectedWallet
  const events = await wallet.root.events({ types: ['ExitPaid'] })
  return events.flatMap((event) => (event.type === 'ExitPaid' ? [event.outputId] : []))
}

async function eventsOf(
  { wallets }: Stage,
  types: readonly RootEvent['type'][],
  { outputId }: Exit,
): Promise<readonly RootEvent[]> {
  return (wallets[0] as ConnectedWallet).wallet.root.events({ types, outputId })
}

function nameOf({ accounts }: Network, address: Address): string {
  return accounts.find(({ account }) => account.address === address)?.name ?? address
}

async function until(
  waiting: ConnectedWallet['wallet']['waiting'],
  what: string,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const end = waiting.now() + WAIT_MS
  while (!(await isSo())) {
    if (waiting.now() > end)
      throw retryable('STORY_STUCK', 'the story waits in vain', { got: `nothing for ${WAIT_MS / 1000} s`, want: what })
    await waiting.sleep(300)
  }
}

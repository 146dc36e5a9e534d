/** The random moves of a walk: whatever anybody could try, sensible or not, and the times at which something ends. */
import type { Entry } from '../../../protocol/massExit.ts'
import { type ActorName, actors } from '../../support/rootChain.ts'
import * as acts from './acts.ts'
import { type Dice, passTo, tryTo, type Walk } from './walk.ts'
import { spendsAgainst } from './watcher.ts'
import { type Coin, type Crowd, dueOf, type Facts, type OpenExit, type Payment, type Place, placesOf } from './world.ts'

type Move = (walk: Walk, dice: Dice) => Promise<string> | null | undefined

const USERS = ['alice', 'bob', 'dave', 'mallory'] as const
const STARTING_MOVES = 4

function pick<T>(dice: Dice, list: readonly T[]): T | undefined {
  return list[dice(list.length)]
}

function fund({ facts }: Walk, dice: Dice) {
  const owner = pick(dice, USERS) ?? 'alice'
  const amount = 10n ** 18n + BigInt(dice(1_000))
  return acts.fund(facts, actors[owner], amount).then(({ name }) => `${name}: a deposit of ${owner}`)
}

/** Coins that a payment can name. */
const placed = (facts: Facts) => facts.coins.filter((coin) => placesOf(coin).length > 0 && coin !== facts.bait)

function createPayment({ facts }: Walk, dice: Dice, from = placed(facts)): Promise<Payment> | null {
  const count = 1 + dice(2)
  const inputs: { coin: Coin; position: number }[] = []
  for (let i = 0; i < count; i++) {
    const coin = pick(dice, i === 0 ? from : placed(facts))
    const position = coin && pick(dice, placesOf(coin))?.position
    if (coin && position !== undefined && !inputs.some((other) => other.coin === coin)) inputs.push({ coin, position })
  }
  if (inputs.length === 0) return null
  const sum = inputs.reduce((total, { coin }) => total + coin.amount, 0n)
  const part = (sum * BigInt(1 + dice(3))) / 4n
  const owner = () => actors[pick(dice, USERS) ?? 'alice']
  return acts.sign(
    facts,
    inputs,
    dice(4) === 0
      ? [[owner(), sum]]
      : [
          [owner(), part],
          [owner(), sum - part],
        ],
  )
}

function sign(walk: Walk, dice: Dice) {
  const made = createPayment(walk, dice)
  return made?.then((payment) => told(payment))
}

function told({ name, inputs, outputs }: Payment): string {
  return `${name}: ${inputs.map((coin) => coin.name).join(', ')} to ${outputs.map((coin) => coin.name).join(', ')}, signed`
}

/** Whether a block may hold the payment after what the chain holds already, under that anchor. */
function isValid(facts: Facts, { signed, inputs }: Payment, anchor: number): boolean {
  const { transaction } = signed
  const isMade = (coin: Coin, i: number) => placesOf(coin).some(({ position }) => position === transaction.inputs[i])
  const isSpent = (coin: Coin) => facts.payments.some((other) => other.inputs.includes(coin) && other.places.length > 0)
  return inputs.every((coin, i) => isMade(coin, i) && !isSpent(coin) && anchor < coin.lock)
}

async function submitWith(walk: Walk, dice: Dice, payments: readonly Payment[], isBad = dice(6) === 0) {
  const { facts } = walk
  const newest = await facts.l1.l1Block()
  const locks = facts.coins.map(({ lock }) => lock - 1).filter((lock) => lock < newest && lock > newest - 20)
  const previous = facts.blocks.at(-1)?.header.anchor ?? 0
  const anchor = Math.max(dice(2) === 0 ? (pick(dice, locks) ?? newest) : newest, previous)
  const distinct = payments.every((payment, i) =>
    payments.slice(0, i).every((other) => !other.inputs.some((coin) => payment.inputs.includes(coin))),
  )
  const bad = isBad || !distinct || !payments.every((payment) => isValid(facts, payment, anchor))
  const block = await acts.submit(facts, payments, { bad, anchor })
  return `${bad ? 'bad ' : ''}block ${block.number}: ${payments.map(({ name }) => name).join(', ')}`
}

function submit(walk: Walk, dice: Dice) {
  const { payments } = walk.facts
  const list = payments.filter(() => dice(payments.length) < 2).slice(0, 3)
  return submitWith(walk, dice, list)
}

function pay(walk: Walk, dice: Dice) {
  const made = createPayment(walk, dice)
  return made?.then(async (payment) => `${told(payment)}; ${await submitWith(walk, dice, [payment])}`)
}

/** Of what a batch names that is started or locked. */
const payListed =
  (isBad?: boolean): Move =>
  (walk, dice) => {
    const live = walk.facts.crowds.filter(({ state }) => state === 'started' || state === 'locked')
    const listed = placed(walk.facts).filter((coin) => live.some(({ names }) => names.includes(coin)))
    const made = createPayment(walk, dice, listed)
    return made?.then(
      async (payment) => `${told(payment)}; ${await submitWith(walk, dice, [payment], isBad ?? dice(6) === 0)}`,
    )
  }

/** A spend, after the lock, of what a batch names: V6, proven with the entry. */
function payLate({ facts }: Walk, dice: Dice) {
  const options = facts.crowds.flatMap((crowd) =>
    crowd.test.item ? crowd.names.flatMap((coin, index) => (coin ? [{ crowd, index, coin }] : [])) : [],
  )
  const found = pick(dice, options)
  const position = found?.crowd.test.placed[found.index]?.position
  if (!found || position === undefined) return null
  const { crowd, index, coin } = found
  const made = acts.sign(facts, [{ coin, position }], [[actors[pick(dice, USERS) ?? 'bob'], coin.amount]])
  return made.then(async (payment) => `${told(payment)}; ${await acts.submitLate(facts, payment, crowd, index)}`)
}

function halt({ facts }: Walk, dice: Dice) {
  const block = pick(
    dice,
    facts.blocks.filter(({ number }) => facts.bad.has(number) && number < facts.voidFrom),
  )
  return block ? acts.halt(facts, block) : null
}

const anybody = (dice: Dice): ActorName => (dice(2) === 0 ? 'mallory' : 'carol')

function startExit({ facts }: Walk, dice: Dice) {
  const coin = pick(dice, placed(facts))
  const spot = coin && pick(dice, placesOf(coin))
  const isOpen = facts.payments.some(({ inputs, places }) => coin && inputs.includes(coin) && places.length > 0)
  return coin && spot ? acts.startExit(facts, coin, isOpen || dice(2) === 0 ? 'mallory' : 'watcher', spot.made) : null
}

function startDispute({ facts }: Walk, dice: Dice) {
  const payment = pick(dice, facts.payments)
  return payment ? acts.startDispute(facts, payment, dice(2) === 0 ? 'mallory' : 'carol') : null
}

/** A payment of what two batches name, in no block or in one, and its dispute at once. */
function disputeShared(walk: Walk, dice: Dice) {
  const { facts } = walk
  const names = facts.crowds.filter(({ state }) => state !== 'dissolved').map((crowd) => crowd.names)
  const shared = facts.coins.filter((coin) => names.filter((list) => list.includes(coin)).length > 1)
  const coin = pick(dice, shared)
  if (!coin) return null
  const known = pick(
    dice,
    facts.payments.filter(({ inputs }) => inputs.includes(coin)),
  )
  if (known && dice(2) === 0) return acts.startDispute(facts, known, 'carol')
  const position = pick(dice, placesOf(coin))?.position ?? 0
  const owner = actors[pick(dice, USERS) ?? 'bob']
  const made = acts.sign(
    facts,
    [{ coin, position }],
    [
      [owner, coin.amount / 2n],
      [coin.owner, coin.amount - coin.amount / 2n],
    ],
  )
  return made.then(async (payment) => `${told(payment)}; ${await acts.startDispute(facts, payment, 'carol')}`)
}

const running = ({ disputes }: Facts) => disputes.filter(({ verdict }) => verdict === 'running')

function leaveByDispute({ facts }: Walk, dice: Dice) {
  const dispute = pick(dice, facts.disputes)
  return dispute ? acts.leaveByDispute(facts, dispute, dice(dispute.payment.outputs.length), 'watcher') : null
}

function compete({ facts }: Walk, dice: Dice) {
  const dispute = pick(dice, running(facts))
  if (!dispute) return null
  const rivals = facts.payments.filter(
    (other) => other !== dispute.payment && other.inputs.some((coin) => dispute.payment.inputs.includes(coin)),
  )
  const rival = pick(dice, rivals)
  return rival ? acts.compete(facts, dispute, rival, pick(dice, [undefined, ...rival.places]), 'mallory') : null
}

function answer({ facts }: Walk, dice: Dice) {
  const dispute = pick(dice, running(facts))
  const at = dispute && pick(dice, dispute.payment.places)
  return dispute && at ? acts.answer(facts, dispute, at, 'mallory') : null
}

function decide(walk: Walk, dice: Dice) {
  const dispute = pick(dice, running(walk.facts))
  return dispute ? walk.judge(dispute) : null
}

function challenge({ facts }: Walk, dice: Dice) {
  const options = facts.exits.flatMap((exit) => spendsAgainst(facts, exit).map((at) => ({ exit, at })))
  const found = pick(dice, options)
  return found ? acts.challenge(facts, found.exit, found.at, anybody(dice)) : null
}

const HONEST_SHARE = 3

/** Entries as a coordinator would list them, or as one who cheats would. */
function startCrowd({ facts }: Walk, dice: Dice) {
  const honest = dice(HONEST_SHARE) === 0
  const spentNowhere = (coin: Coin) =>
    !facts.payments.some(({ inputs, places }) => inputs.includes(coin) && places.length > 0)
  const entries: Entry[] = []
  for (const coin of facts.coins) {
    const spot = pick(dice, placesOf(coin))
    if (!spot || dice(3) === 0 || (honest && !spentNowhere(coin))) continue
    const faults = [0n, 0n, 0n, 0n, 0n, 0n, 1n, -1n, coin.amount]
    entries.push({ position: spot.position, amount: coin.amount + (honest ? 0n : (pick(dice, faults) ?? 0n)) })
  }
  if (!honest && dice(5) === 0)
    entries.push({ position: 2 ** 25 * Math.max(facts.blocks.length, 1) + 16 * 7, amount: 7n })
  return begin(facts, entries, honest)
}

/** The entries of another's batch, as a griefer would copy them. */
function copyCrowd({ facts }: Walk, dice: Dice) {
  const crowd = pick(dice, facts.crowds)
  if (!crowd) return null
  const entries = crowd.test.placed.map(({ position, amount }) => ({ position, amount }))
  return begin(
    facts,
    entries.filter(() => dice(4) > 0),
    false,
  )
}

function begin(facts: Facts, entries: readonly Entry[], honest: boolean) {
  const list = [...entries].sort((a, b) => a.position - b.position)
  const distinct = list.filter(({ position }, i) => i === 0 || position !== list[i - 1]?.position)
  if (distinct.length === 0) return null
  const made = acts.startCrowd(facts, distinct, honest ? 'watcher' : 'mallory', honest)
  return made.then(({ name, names }) => {
    const listed = names.map((coin) => coin?.name ?? 'nothing').join(', ')
    return `${name}${honest ? ', honest,' : ''} starts: ${listed}`
  })
}

const startedOnes = ({ crowds }: Facts) => crowds.filter(({ state }) => state === 'started')

function demand({ facts }: Walk, dice: Dice) {
  const crowd = pick(dice, startedOnes(facts))
  return crowd ? acts.demand(facts, crowd, dice(crowd.names.length), anybody(dice)) : null
}

function answerDemand({ facts }: Walk, dice: Dice) {
  const crowd = pick(dice, startedOnes(facts))
  const index = crowd && pick(dice, [...crowd.demands.keys()])
  return crowd && index !== undefined ? acts.answerDemand(facts, crowd, index) : null
}

function dissolve({ facts }: Walk, dice: Dice) {
  const crowd = pick(dice, startedOnes(facts))
  return crowd ? acts.dissolve(facts, crowd, pick(dice, [null, ...crowd.demands.keys()]) ?? null) : null
}

/** At the first second at which one of them can be locked: the walk goes there. */
function lock(walk: Walk, dice: Dice) {
  const { facts } = walk
  const crowd = pick(dice, startedOnes(facts))
  if (!crowd) return null
  const first = crowd.test.batch.startedAt + facts.chain.parameters.minExitPeriod / 4 + 1
  return passTo(walk, first, dice).then(() => acts.lock(facts, crowd))
}

/** An entry of a locked batch. */
function entry({ facts }: Walk, dice: Dice): readonly [Crowd, number] | null {
  const crowd = pick(
    dice,
    facts.crowds.filter(({ test }) => test.item),
  )
  return crowd ? [crowd, dice(crowd.names.length)] : null
}

const onEntry =
  (act: (facts: Facts, crowd: Crowd, index: number) => Promise<string>): Move =>
  (walk, dice) => {
    const found = entry(walk, dice)
    return found && act(walk.facts, ...found)
  }

const onExit =
  (act: (facts: Facts, crowd: Crowd, index: number, exit: OpenExit) => Promise<string>): Move =>
  (walk, dice) => {
    const found = entry(walk, dice)
    const coin = found?.[0].names[found[1]]
    const exit = pick(
      dice,
      walk.facts.exits.filter((one) => one.coin === coin && !one.isRemoved),
    )
    return found && exit ? act(walk.facts, ...found, exit) : null
  }

function strike(walk: Walk, dice: Dice) {
  const { facts } = walk
  const options: [Crowd, number, Place][] = []
  for (const crowd of facts.crowds) {
    if (!crowd.test.item) continue
    for (const { position } of crowd.test.placed) {
      for (const { signed, places } of facts.payments) {
        if (!signed.transaction.inputs.includes(position)) continue
        for (const at of places) options.push([crowd, position, at])
      }
    }
  }
  const found = pick(dice, options)
  return found ? acts.strike(facts, ...found, anybody(dice)) : null
}

function dropStrike({ facts }: Walk, dice: Dice) {
  const crowd = pick(
    dice,
    facts.crowds.filter(({ strikes }) => strikes.size > 0),
  )
  const key = crowd && pick(dice, [...crowd.strikes.keys()])
  return crowd && key ? acts.dropStrike(facts, crowd, key) : null
}

function dropEvidence({ facts }: Walk, dice: Dice) {
  const exit = pick(
    dice,
    facts.exits.filter(({ pieces }) => pieces.length > 0),
  )
  const piece = exit && pick(dice, exit.pieces)
  if (!exit || !piece) return null
  return dice(2) === 0 ? acts.drop(facts, exit, piece) : acts.release(facts, exit, piece)
}

function claimAll(walk: Walk, dice: Dice) {
  const found = entry(walk, dice)
  return found && acts.claim(walk.facts, found[0], [...found[0].names.keys()])
}

function settle({ facts }: Walk, dice: Dice) {
  const exit = pick(dice, facts.exits)
  if (!exit) return null
  return dice(2) === 0 ? acts.settle(facts, exit) : acts.release(facts, exit)
}

function inherit({ facts }: Walk, dice: Dice) {
  const dispute = pick(
    dice,
    facts.disputes.filter(({ verdict }) => verdict === 'canonical'),
  )
  if (!dispute) return null
  const { inputs, outputs } = dispute.payment
  return acts.inherit(facts, dispute, dice(inputs.length), dice(outputs.length))
}

/** On to a moment at which something ends or begins, or a second beside it. */
async function pass(walk: Walk, dice: Dice): Promise<void> {
  const { facts } = walk
  const mep = facts.chain.parameters.minExitPeriod
  const now = facts.l1.now()
  const ends = [
    ...facts.exits.map(({ exit }) => exit.exitableAt),
    ...facts.crowds.map(({ test }) => test.item?.exitableAt ?? 0),
    ...facts.disputes.map(({ started }) => started.dispute.exitableAt),
  ].flatMap((end) => [dueOf(facts, end), dueOf(facts, end) - mep / 4, dueOf(facts, end) - mep / 2])
  const starts = startedOnes(facts).flatMap(({ test }) =>
    [mep / 8, mep / 4, mep / 2].map((n) => test.batch.startedAt + n),
  )
  const moments = [...ends, ...starts].filter((moment) => moment >= now)
  const near = pick(dice, moments.sort((a, b) => a - b).slice(0, 4)) ?? now + mep / 8
  await passTo(walk, dice(4) === 0 ? now + 1 + dice(mep / 4) : near + dice(3) - 1, dice)
}

/** By name and weight. */
export const MOVES: readonly (readonly [string, number, Move])[] = [
  ['fund', 2, fund],
  ['sign', 3, sign],
  ['submit', 2, submit],
  ['pay', 5, pay],
  ['payListed', 5, payListed()],
  ['payBad', 3, payListed(true)],
  ['payLate', 2, payLate],
  ['closeChain', 1, ({ facts }) => acts.closeChain(facts)],
  ['halt', 2, halt],
  ['startExit', 4, startExit],
  ['startDispute', 3, startDispute],
  ['disputeShared', 4, disputeShared],
  ['leaveByDispute', 2, leaveByDispute],
  ['compete', 2, compete],
  ['answer', 1, answer],
  ['decide', 2, decide],
  ['challenge', 3, challenge],
  ['startBatch', 5, startCrowd],
  ['copyBatch', 3, copyCrowd],
  ['demand', 2, demand],
  ['answerDemand', 2, answerDemand],
  ['dissolve', 1, dissolve],
  ['lock', 7, lock],
  ['strike', 4, strike],
  ['dropStrike', 2, dropStrike],
  ['dropEvidence', 2, dropEvidence],
  ['open', 4, onEntry(acts.open)],
  ['place', 3, onExit(acts.placeEntry)],
  ['adopt', 3, onExit(acts.adopt)],
  ['releaseEntry', 2, onEntry(acts.releaseEntry)],
  ['claim', 3, onEntry((facts, crowd, index) => acts.claim(facts, crowd, [index]))],
  ['claimAll', 1, claimAll],
  ['turn', 3, ({ facts }) => acts.turn(facts)],
  ['settle', 3, settle],
  ['inherit', 2, inherit],
]

/** What may come in the very second in which the watcher acts. */
const AMBUSH = [
  'open',
  'open',
  'strike',
  'strike',
  'dropStrike',
  'dropEvidence',
  'challenge',
  'halt',
  'startDispute',
  'adopt',
  'place',
  'turn',
]

/** The sum of the weights up to a move. */
const upTo = (last: number) => MOVES.slice(0, last + 1).reduce((sum, [, weight]) => sum + weight, 0)
const TOTAL = upTo(MOVES.length)

export async function ambush(walk: Walk, dice: Dice): Promise<void> {
  const wanted = pick(dice, AMBUSH)
  const move = MOVES.find(([name]) => name === wanted)
  if (move) await attempt(walk, dice, move)
}

async function attempt(walk: Walk, dice: Dice, [name, , move]: (typeof MOVES)[number]): Promise<boolean> {
  const made = move(walk, dice)
  if (!made) return false
  return tryTo(walk, () => made, name)
}

/** How a walk may begin, after three deposits and a payment: the questions that are asked most. */
const PRELUDES: readonly (readonly string[])[] = [
  ['pay', 'pay'],
  ['startBatch', 'copyBatch', 'lock', 'lock', 'disputeShared'],
  ['startBatch', 'copyBatch', 'payListed', 'lock', 'lock', 'disputeShared'],
  ['startBatch', 'payListed', 'payBad', 'lock', 'strike', 'pass', 'pass', 'halt'],
  ['payBad', 'startBatch', 'payListed', 'lock', 'startExit', 'pass', 'halt', 'open', 'strike'],
  ['startExit', 'startBatch', 'lock', 'startBatch', 'lock', 'startDispute'],
]

/** How often another move is tried where one is refused or has nothing to act on. */
const TRIES = 8

/** One move, or some time; the first few make the world. */
export async function randomMove(walk: Walk, step: number, dice: Dice): Promise<void> {
  if (step < STARTING_MOVES) {
    await tryTo(walk, () => (step < 3 ? fund(walk, dice) : (pay(walk, dice) ?? fund(walk, dice))), 'start')
    return
  }
  const wanted = PRELUDES[walk.seed % PRELUDES.length]?.[step - STARTING_MOVES]
  const named = MOVES.find(([name]) => name === wanted)
  if (named && (await attempt(walk, dice, named))) return
  if (wanted === 'pass' || dice(5) === 0) return pass(walk, dice)
  for (let tries = 0; tries < TRIES; tries++) {
    const drawn = dice(TOTAL)
    const move = MOVES.find((_, i) => drawn < upTo(i))
    if (move && (await attempt(walk, dice, move))) return
  }
}

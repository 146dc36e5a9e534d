/**
 * Who is owed what, told naively from what happened (`docs/spec.md` 4 to 6): a payment counts if it stands in a block that is not void and no verdict says otherwise,
 * or if a verdict says so. Places, shares, tickets and strikes are not looked at: whatever the three games do, this must come out.
 */
import { place } from '../../support/moves.ts'
import { type Coin, type Dispute, type Facts, isVoid, type Payment, type Place } from './world.ts'

export function verdictOf(facts: Facts, payment: Payment | null): Dispute['verdict'] | 'none' {
  return facts.disputes.find((one) => one.payment === payment)?.verdict ?? 'none'
}

function isIncluded(facts: Facts, { places }: Payment): boolean {
  return places.some((at) => !isVoid(facts, at))
}

export function counts(facts: Facts, payment: Payment): boolean {
  const verdict = verdictOf(facts, payment)
  return verdict === 'canonical' || (isIncluded(facts, payment) && verdict !== 'not-canonical')
}

export function exists(facts: Facts, { maker }: Coin): boolean {
  return maker === null || counts(facts, maker)
}

export function isSpent(facts: Facts, coin: Coin): boolean {
  return facts.payments.some((payment) => payment.inputs.includes(coin) && counts(facts, payment))
}

export function owed(facts: Facts, coin: Coin): bigint {
  return exists(facts, coin) && !isSpent(facts, coin) ? coin.amount : 0n
}

/** The verdict as spec 6.3.6 has it, from the pieces that L1 took. */
export function wantedVerdict(facts: Facts, { payment, competitors, answers, hasOffer, started }: Dispute) {
  const positions = started.signed.transaction.inputs
  const isTaken = ({ paid, maker }: Coin, i: number) => {
    const made = maker?.places.find(
      (at) => Math.floor((positions[i] as number) / 16) * 16 === place(at.block, at.index),
    )
    const passedOn = facts.disputes.some(
      (other) => other.verdict === 'canonical' && other.payment.inputs.includes(payment.inputs[i] as Coin),
    )
    const isFallen = made !== undefined && isVoid(facts, made)
    return paid > 0n || passedOn || isFallen || verdictOf(facts, maker) === 'not-canonical'
  }
  if (payment.inputs.some(isTaken)) return 'not-canonical'
  if (!hasOffer && competitors.length === 0) return 'canonical'
  const standing = (list: readonly Place[]) =>
    list.filter((at) => !isVoid(facts, at)).map(({ block, index }) => place(block, index))
  const [answer, rival] = [Math.min(...standing(answers)), Math.min(...standing(competitors))]
  return Number.isFinite(answer) && answer < rival ? 'canonical' : 'not-canonical'
}

/** What must hold after every move; null when it does. */
export function brokenNow(facts: Facts): string | null {
  for (const { name, paid, amount } of facts.coins) {
    if (paid > amount) return `${name} was paid ${paid} of ${amount}`
  }
  const [came, went] = [deposits(facts), payments(facts)]
  if (went > came) return `${went} was paid out of ${came}`
  for (const payment of facts.payments) {
    const paidInput = payment.inputs.find(({ paid }) => paid > 0n)
    const paidOutput = payment.outputs.find(({ paid }) => paid > 0n)
    if (paidInput && paidOutput) return `${paidInput.name} was paid, and ${paidOutput.name}, which was made of it`
  }
  return null
}

/** What must hold when all was done that anybody can do. */
export function brokenInTheEnd(facts: Facts): string | null {
  for (const payment of facts.payments) {
    if (isIncluded(facts, payment) && verdictOf(facts, payment) === 'not-canonical')
      return `${payment.name} stands in a block and was judged not canonical`
  }
  for (const coin of facts.coins) {
    const want = owed(facts, coin)
    if (coin.paid !== want) return `${coin.name} of ${coin.owner.address} was paid ${coin.paid}, want ${want}`
  }
  const [came, went] = [deposits(facts), payments(facts)]
  return came === went ? null : `${went} was paid out of ${came}`
}

function deposits({ coins }: Facts): bigint {
  return coins.reduce((sum, { maker, amount }) => (maker === null ? sum + amount : sum), 0n)
}

function payments({ coins }: Facts): bigint {
  return coins.reduce((sum, { paid }) => sum + paid, 0n)
}

/**
 * What people have to hear about exits and disputes (docs/honest-watcher.md). Level-triggered: an exit is looked at again whenever its
 * events changed and, while it is open, whenever the child chain moved or time passes; a dispute whenever its events changed or its
 * transaction turned up in a block. An alert is told once per exit or dispute and cause. Acting on it is the court's; this only speaks.
 */
import { type Address, ZERO_HASH } from '../protocol/bytes.ts'
import { evidenceDeadline } from '../protocol/exit.ts'
import type { Mandate } from '../protocol/mandate.ts'
import { isOpenedEntry } from '../protocol/massExit.ts'
import { decodePosition, isDepositPosition } from '../protocol/position.ts'
import { type Database, inTransaction } from '../service/database.ts'
import type { Alarm } from './alarm.ts'
import type { DisputeBook, Spender } from './disputeBook.ts'
import type { ExitBook } from './exitBook.ts'
import type { DisputeRecord, ExitFacts, Facts, SpendFact } from './facts.ts'
import type { Protection } from './protection.ts'

const CHANGED_AT_ONCE = 200

export type AuditOptions = Readonly<{
  db: Database
  facts: Facts
  exits: ExitBook
  disputes: DisputeBook
  protection: Protection
  alarm: Alarm
  /** Addresses that act for this watcher. */
  ours: ReadonlySet<Address>
}>

export type Audit = ReturnType<typeof createAudit>

export function createAudit({ db, facts, exits, disputes, protection, alarm, ours }: AuditOptions) {
  let lastLook = ''

  function look(record: ExitFacts): void {
    lookAtOutput(record)
    lookAtEvidence(record)
    lookAtStarter(record)
    lookAtEnd(record)
  }

  /** Events of long ago are history, not news: a watcher that catches up stays quiet about them. */
  function isNews(l1Timestamp: number): boolean {
    return facts.l1Now().timestamp - l1Timestamp <= facts.parameters.minExitPeriod
  }

  function about({ exit, state }: ExitFacts) {
    const { outputId, position, owner, token, amount, exitableAt } = exit
    return { outputId, position, owner, token, amount, state, exitableAt }
  }

  function lookAtOutput(record: ExitFacts): void {
    const { exit, state, output, evidence } = record
    const isOpen = state === 'queued' || state === 'ticket'
    if (!isOpen) return
    if (output.kind === 'mismatch') {
      alarm.raise('EXIT_OUTCOME_UNKNOWN', exit.outputId, { ...about(record), got: output.got, want: output.want })
    }
    if (output.kind === 'unverified' && facts.safety().status !== 'safe') {
      alarm.raise('EXIT_UNVERIFIABLE', exit.outputId, { ...about(record), blockState: output.blockState })
    }
    if (output.kind !== 'spent') return
    const { spend } = output.evidence
    if (isOnTrial(record, output.evidence)) return
    const hangs = hangsOnVerdict(record, output.evidence)
    alarm.raise(hangs ? 'DISPUTED_EXIT_INVALID' : 'INVALID_EXIT', exit.outputId, { ...about(record), spend })
    const { minExitPeriod, reaction } = facts.parameters
    const deadline = evidenceDeadline(exit.exitableAt, minExitPeriod, facts.halt().lastMove)
    if (evidence.length === 0 && facts.l1Now().timestamp >= deadline - reaction) {
      const code = hangs ? 'DISPUTED_EXIT_UNCHALLENGED' : 'EXIT_UNCHALLENGED'
      alarm.raise(code, exit.outputId, { ...about(record), deadline })
    }
  }

  /** The spend itself is disputed and holds the exit: the verdict cancels the exit or clears it. */
  function isOnTrial(record: ExitFacts, evidence: SpendFact): boolean {
    return spendersOf(record, evidence).some(({ state, made, suspends }) => {
      return state === 'running' && suspends && made === evidence.spend
    })
  }

  /** Disputes about what spends the output, where the exit names it or where the evidence does. */
  function spendersOf({ exit }: ExitFacts, { signed, input }: SpendFact): readonly Spender[] {
    const places = new Set([exit.position, signed.transaction.inputs[input] ?? exit.position])
    return [...places].flatMap((place) => disputes.spendersOf(place))
  }

  /** An exit of a disputed transaction's output, or of an input of one that runs, which another transaction spent. */
  function hangsOnVerdict(record: ExitFacts, evidence: SpendFact): boolean {
    if (record.exit.disputed !== ZERO_HASH) return true
    return spendersOf(record, evidence).some(({ state, made }) => state === 'running' && made !== evidence.spend)
  }

  function lookAtEvidence(record: ExitFacts): void {
    const { exit, output, events } = record
    for (const event of events) {
      const subject = `${exit.outputId} ${event.at.txHash} ${event.at.logIndex}`
      if (event.type === 'EvidenceDropped' && isNews(event.at.l1Timestamp)) {
        alarm.raise('EVIDENCE_DROPPED', subject, { ...about(record), spend: event.spend })
      }
      if (event.type !== 'EvidenceShown') continue
      const { spend, challenger, reward } = event
      if (isNews(event.at.l1Timestamp)) {
        const code = ours.has(challenger) ? 'EXIT_CHALLENGED_BY_US' : 'EXIT_CHALLENGED_BY_OTHER'
        alarm.raise(code, subject, { ...about(record), spend, challenger, reward })
      }
      // The contract took a spend that our verified blocks do not know. Of a contested output they may: the verdict is against it.
      if (output.kind === 'unspent' && !record.contested && decodePosition(spend).block <= output.asOf) {
        alarm.raise('EXIT_OUTCOME_UNKNOWN', exit.outputId, { ...about(record), spend, challenger })
      }
    }
  }

  function lookAtStarter(record: ExitFacts): void {
    const { exit } = record
    // An opened entry of a mass exit names its batch as the payer.
    if (exit.payer === exit.owner || isOpenedEntry(exit) || !isNews(exit.startedAt)) return
    const details = { ...about(record), payer: exit.payer }
    const isProtected = protection.has(exit.owner)
    if (ours.has(exit.payer)) alarm.raise('PROTECTED_EXIT_STARTED', exit.outputId, details)
    else if (isProtected) alarm.raise('PROTECTED_EXIT_BY_OTHER', exit.outputId, details)
    else alarm.raise('EXIT_AUTHORISED_BY_UNKNOWN', exit.outputId, details)
  }

  function lookAtEnd(record: ExitFacts): void {
    const { exit, state, output, events, paid } = record
    const last = events.at(-1)
    if (!last || (state !== 'settled' && state !== 'removed')) return
    if (state === 'settled' && output.kind === 'spent') {
      alarm.raise('INVALID_EXIT_PAID', exit.outputId, { ...about(record), spend: output.evidence.spend, paid })
    }
    if (
      last.type === 'ExitRemoved' &&
      last.reason === 'spent' &&
      output.kind === 'unspent' &&
      record.passedOn === undefined &&
      record.evidence.length === 0
    ) {
      alarm.raise('EXIT_OUTCOME_UNKNOWN', exit.outputId, about(record))
    }
    if (state === 'settled' && protection.has(exit.owner) && isNews(last.at.l1Timestamp)) {
      alarm.raise('PROTECTED_EXIT_PAID', exit.outputId, { ...about(record), paid })
    }
  }

  function lookAtDispute({ dispute, inputs, signed, state }: DisputeRecord): void {
    const { txHash, starter, startedAt, exitableAt } = dispute
    const parties = [...inputs, ...signed.transaction.outputs].map(({ owner }) => owner)
    const wards = [...new Set(parties)].filter((owner) => owner !== starter && protection.has(owner))
    if (wards.length > 0 && !ours.has(starter) && isNews(startedAt)) {
      alarm.raise('DISPUTE_STARTED', txHash, { txHash, state, starter, owners: wards, startedAt, exitableAt })
    }
    const made = disputes.madeAt(txHash)
    // What stands in no verified block may have been spent where another one holds it.
    const elsewhere = inputs.every(({ position }) => isVerified(position)) ? [] : facts.disputeFacts(txHash)?.spends
    const rivals = inputs.flatMap(({ position }, i) => {
      const spend = facts.spentBy(position) ?? elsewhere?.[i]?.spend
      return spend === undefined || spend === made ? [] : [spend]
    })
    const isContradicted = state === 'canonical' ? rivals.length > 0 : state === 'not-canonical' && made !== undefined
    if (isContradicted) alarm.raise('DISPUTE_OUTCOME_UNKNOWN', txHash, { txHash, state, made: made ?? 0, rivals })
  }

  function lookAtHalt(): void {
    const { voidFrom, lastMove } = facts.halt()
    if (voidFrom === 0) alarm.clear('CHAIN_HALTED', 'chain')
    else alarm.raise('CHAIN_HALTED', 'chain', { voidFrom, lastMove })
    for (const position of facts.disproved()) {
      alarm.raise('FAULT_PROVEN', String(position), { position, block: decodePosition(position).block })
    }
  }

  function lookAtVault(): void {
    const safety = facts.safety()
    if (safety.reason !== 'short') return
    const { outputId, missing, since } = safety
    alarm.raise('VAULT_SHORT', outputId, { outputId, missing, since })
  }

  function lookAtMandate(mandate: Mandate): void {
    const { timestamp } = facts.l1Now()
    const revoked = facts.revokedAt(mandate.owner, mandate.epoch)
    // Shorter than this, and it may end before an exit can be started in time.
    const ends = mandate.validUntil - timestamp < 2 * facts.parameters.minExitPeriod
    if (revoked === undefined && !ends) return
    alarm.raise('MANDATE_EXPIRES', `${mandate.owner} ${mandate.epoch} ${mandate.validUntil}`, {
      owner: mandate.owner,
      validUntil: mandate.validUntil,
      ...(revoked === undefined ? {} : { revokedAt: revoked }),
    })
  }

  function isVerified(position: number): boolean {
    return isDepositPosition(position) || decodePosition(position).block <= facts.verifiedBlock()
  }

  function lookAtChanged(): void {
    for (;;) {
      const changed = exits.changed(CHANGED_AT_ONCE)
      if (changed.length === 0) return
      inTransaction(db, () => {
        for (const outputId of changed) {
          const record = facts.exitFacts(outputId)
          if (record) look(record)
          exits.seen(outputId)
        }
      })
    }
  }

  function lookAtChangedDisputes(): void {
    for (;;) {
      const changed = disputes.changed(CHANGED_AT_ONCE)
      if (changed.length === 0) return
      inTransaction(db, () => {
        for (const txHash of changed) {
          const record = disputes.record(txHash)
          if (record) lookAtDispute(record)
          disputes.seen(txHash)
        }
      })
    }
  }

  /** Open exits whose judgement may have changed without an event of theirs: the child chain or L1 time moved. */
  function lookAtOpen(): void {
    const { hash } = facts.l1Now()
    const here = `${hash} ${facts.verifiedBlock()} ${facts.safety().status}`
    if (here === lastLook) return
    inTransaction(db, () => {
      for (const { exit } of facts.openExits()) {
        const place = exits.placeOf(exit)
        const isSpent = place !== undefined && facts.spentBy(place) !== undefined
        const isQuiet = !isSpent && isVerified(place ?? exit.position)
        const record = isQuiet ? undefined : facts.exitFacts(exit.outputId)
        if (record) lookAtOutput(record)
      }
      for (const { mandate } of protection.all()) lookAtMandate(mandate)
      lookAtHalt()
      lookAtVault()
    })
    lastLook = here
  }

  return {
    /** To be called once L1 and the child chain are as near to the head as they get. */
    run(): void {
      lookAtChanged()
      lookAtChangedDisputes()
      lookAtOpen()
    },
  }
}

/** The rules about ending the chain: by the proof of a fault, and after the operator's silence (docs/honest-watcher.md, "Rules"). */
import { haltWindow, isVoidBlock } from './exitTime.ts'
import type { Rule } from './rule.ts'
import type { HaltAbandoned, ProveFault } from './types.ts'

export const PROOF_RULES: readonly Rule<ProveFault>[] = [
  {
    id: 'FAULT-OF-THE-NEXT-BLOCK',
    rationale:
      'WATCH-1: only the block right after the verified ones is known to be invalid. What is on top of it stands on sand, and is void with it.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ fault }, { verifiedBlock }) => fault.block === verifiedBlock + 1,
  },
  {
    id: 'PROOF-SHOWS-THE-FAULT',
    rationale: 'A proof of something else is refused by L1 and burns gas.',
    refusal: 'INTERNAL_FAULT',
    holds: ({ fault, proof }) => proof.offence.position === fault.position && proof.rule === fault.fault.rule,
  },
  {
    id: 'FAULT-NOT-VOID',
    rationale: 'What is void is so for ever, and needs no proof; L1 refuses it.',
    refusal: 'quiet',
    holds: ({ fault }, { voidFrom }) => !isVoidBlock(fault.block, voidFrom),
  },
  {
    id: 'FAULT-NOT-RECORDED',
    rationale: 'The same transaction twice is refused by L1; whoever was first, it is done.',
    refusal: 'quiet',
    holds: ({ fault }, { disproved }) => !disproved.has(fault.position),
  },
  {
    id: 'PROOF-HALTS-OR-MATTERS',
    rationale:
      'Until the block’s time + MEP a proof ends the chain. Later it only takes the transaction away (8.5.2): worth its gas where an exit, evidence, or a dispute on L1 rests on it.',
    refusal: 'quiet',
    holds: ({ fault, restsOn }, world) =>
      world.now.timestamp <= haltWindow(fault.header, world).until || restsOn.length > 0,
  },
]

export const ABANDON_RULES: readonly Rule<HaltAbandoned>[] = [
  {
    id: 'CHAIN-IS-LIVE',
    rationale: 'A chain ends once.',
    refusal: 'quiet',
    holds: (_action, { voidFrom }) => voidFrom === 0,
  },
  {
    id: 'SILENCE-IS-OVER',
    rationale: 'Before ABANDON_PERIOD without a block L1 refuses it; the operator may only be slow.',
    refusal: 'quiet',
    holds: ({ silentSince }, { now, newestTime, parameters }) =>
      silentSince === newestTime && now.timestamp > newestTime + parameters.abandonPeriod,
  },
  {
    id: 'ABANDON-WITH-INTEREST',
    rationale: 'It earns nothing: it is done where there are owners to protect, or in public service.',
    refusal: 'quiet',
    holds: (_action, { protectedOwners, policy }) => policy.publicService || protectedOwners.size > 0,
  },
]

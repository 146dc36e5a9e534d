/** What anyone may do for others: prove a forged block to L1, take an owner out by mandate. */
import { createClient } from '../../api/client.ts'
import type { Committed, Hostile } from '../../drill/faults/operator.ts'
import { encodeFraudProof, encodeStartStandardExit, type SignedMandate } from '../../l1/rootCalls.ts'
import type { Exit } from '../../protocol/exit.ts'
import { buildFraudProof, type FraudSource } from '../../protocol/fraud.ts'
import { decodePosition } from '../../protocol/position.ts'
import type { BlockFault } from '../../protocol/validity.ts'
import type { Account } from '../../wallet/account.ts'
import { bondOf, exitOf, isRefused, send } from './acts.ts'
import type { RunningWatcher, World } from './world.ts'

type Offence = Readonly<{ hostile: Hostile; forged: Committed; watcher: RunningWatcher }>

/** Proves the fault that the watcher told, with what it serves of the blocks before; L1 refuses it where somebody was faster. */
export async function proveForged(world: World, by: Account, offence: Offence): Promise<void> {
  const { forged, watcher } = offence
  const [told] = watcher.alertsOf('INVALID_BLOCK')
  const fault = told?.['fault'] as BlockFault
  const proof = buildFraudProof(forged.number, fault, await sourceOf(offence, fault))
  await isRefused(send(world, by, encodeFraudProof(proof)))
}

async function sourceOf({ hostile, forged, watcher }: Offence, { index }: BlockFault): Promise<FraudSource> {
  const client = createClient({ url: watcher.watcher.url })
  const inputs = forged.transactions[index]?.transaction.inputs ?? []
  const shown = await Promise.all(inputs.map((position) => client.exitData(position)))
  return {
    transactionAt: (position) => {
      const at = decodePosition(position)
      if (at.block === forged.number) {
        const signed = forged.transactions[at.index]
        return signed && { position, signed, ...hostile.shownOf(forged, at.index) }
      }
      const data = shown.find((one) => {
        const place = one && decodePosition(one.position)
        return place?.block === at.block && place.index === at.index
      })
      if (data?.kind !== 'transaction') return undefined
      const { transaction, header, proof } = data
      return { position, signed: { transaction, witnesses: new Uint8Array() }, header, proof }
    },
    header: (block) => (block === forged.number ? forged.header : undefined),
    deposit: () => undefined,
    spentBy: () => undefined,
    exitOf: () => undefined,
  }
}

/** Starts the exit of an owner who is offline, with what a watcher shows. */
export async function takeOut(
  world: World,
  by: Account,
  { position, mandate, watcher }: Readonly<{ position: number; mandate: SignedMandate; watcher: RunningWatcher }>,
): Promise<Exit> {
  const data = await createClient({ url: watcher.watcher.url }).exitData(position)
  if (data?.kind !== 'transaction') throw new Error('the watcher shows no exit data')
  const call = encodeStartStandardExit({ position, shown: data, bondWei: bondOf(500_000n), mandate })
  return exitOf(await send(world, by, call))
}

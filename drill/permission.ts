/**
 * Where hostile code may run: never on Ethereum's mainnet, and only against contracts that this process deployed for it. Every fault asks
 * here first, so that no drill can be pointed at a chain that somebody uses.
 */
import type { Deployment } from '../l1/deployment.ts'
import { configError } from '../protocol/errors.ts'

export const MAINNET_CHAIN_ID = 1

const own = new WeakSet<Deployment>()

/** Called by whoever deployed it just now, for a drill or a test. Throws DRILL_MAINNET. */
export function markOwnDeployment(deployment: Deployment): Deployment {
  assertNoMainnet(deployment.chainId)
  own.add(deployment)
  return deployment
}

/** Throws DRILL_MAINNET, and DRILL_FOREIGN_DEPLOYMENT for contracts that this process did not deploy itself. */
export function assertMayHarm(deployment: Deployment): void {
  assertNoMainnet(deployment.chainId)
  if (own.has(deployment)) return
  throw configError(
    'DRILL_FOREIGN_DEPLOYMENT',
    'hostile code only runs against contracts that the drill deployed itself',
    {
      got: deployment.contracts['root']?.address,
      want: 'a deployment made by this run',
    },
  )
}

/** Throws DRILL_MAINNET. */
export function assertNoMainnet(chainId: number): void {
  if (chainId !== MAINNET_CHAIN_ID) return
  throw configError('DRILL_MAINNET', 'drills never run on mainnet', {
    got: `chain ${chainId}`,
    want: 'the embedded L1, a development node or a testnet',
  })
}

/** All scenarios, most telling first. */
import type { Scenario } from './scenario.ts'
import { breakValue } from './scenarios/breakValue.ts'
import { brokenReceipt } from './scenarios/brokenReceipt.ts'
import { censor } from './scenarios/censor.ts'
import { censoringEndpoint } from './scenarios/censoringEndpoint.ts'
import { combined } from './scenarios/combined.ts'
import { congestion } from './scenarios/congestion.ts'
import { copiedMassExit } from './scenarios/copiedMassExit.ts'
import { deadCoordinator } from './scenarios/deadCoordinator.ts'
import { deadEndpoint } from './scenarios/deadEndpoint.ts'
import { doubleSpendBlock } from './scenarios/doubleSpendBlock.ts'
import { feeSpike } from './scenarios/feeSpike.ts'
import { forgedFlight } from './scenarios/forgedFlight.ts'
import { forgeSignature } from './scenarios/forgeSignature.ts'
import { hostileCoordinator } from './scenarios/hostileCoordinator.ts'
import { laggingEndpoint } from './scenarios/laggingEndpoint.ts'
import { lyingEndpoint } from './scenarios/lyingEndpoint.ts'
import { massExit } from './scenarios/massExit.ts'
import { mintFromNothing } from './scenarios/mintFromNothing.ts'
import { nastyReceivers } from './scenarios/nastyReceivers.ts'
import { nastyToken } from './scenarios/nastyToken.ts'
import { poisonedMassExit } from './scenarios/poisonedMassExit.ts'
import { referToFuture } from './scenarios/referToFuture.ts'
import { reorgChain } from './scenarios/reorgChain.ts'
import { reorgData } from './scenarios/reorgData.ts'
import { reorgDispute } from './scenarios/reorgDispute.ts'
import { reorgExit } from './scenarios/reorgExit.ts'
import { reorgHalt } from './scenarios/reorgHalt.ts'
import { reorgMassExit } from './scenarios/reorgMassExit.ts'
import { reorgRemoval } from './scenarios/reorgRemoval.ts'
import { reorgStrike } from './scenarios/reorgStrike.ts'
import { revealLate } from './scenarios/revealLate.ts'
import { serveSome } from './scenarios/serveSome.ts'
import { spendExited } from './scenarios/spendExited.ts'
import { thief } from './scenarios/thief.ts'
import { vanish } from './scenarios/vanish.ts'
import { watcherCrash } from './scenarios/watcherCrash.ts'
import { watcherOffline } from './scenarios/watcherOffline.ts'
import { withholdBlock } from './scenarios/withholdBlock.ts'
import { withholdTransaction } from './scenarios/withholdTransaction.ts'
import { wrongClock } from './scenarios/wrongClock.ts'
import { wrongRoot } from './scenarios/wrongRoot.ts'

export const SCENARIOS: readonly Scenario[] = [
  withholdBlock,
  withholdTransaction,
  serveSome,
  revealLate,
  doubleSpendBlock,
  mintFromNothing,
  forgeSignature,
  spendExited,
  breakValue,
  referToFuture,
  wrongRoot,
  brokenReceipt,
  censor,
  vanish,
  thief,
  forgedFlight,
  massExit,
  hostileCoordinator,
  poisonedMassExit,
  copiedMassExit,
  deadCoordinator,
  reorgChain,
  reorgExit,
  reorgRemoval,
  reorgData,
  reorgHalt,
  reorgDispute,
  reorgMassExit,
  reorgStrike,
  congestion,
  feeSpike,
  lyingEndpoint,
  laggingEndpoint,
  deadEndpoint,
  censoringEndpoint,
  watcherOffline,
  watcherCrash,
  wrongClock,
  nastyReceivers,
  nastyToken,
  combined,
]

export function findScenario(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name)
}

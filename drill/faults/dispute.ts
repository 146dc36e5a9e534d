/** Bonds of disputes that are started by hand. */
import type { World } from '../world.ts'

/** Twice the least: the base fee may rise. Wei. */
export async function disputeBondOf(world: World, inputs: number): Promise<bigint> {
  return 2n * (await (await world.wallet(world.helper)).root.disputeBond(inputs))
}

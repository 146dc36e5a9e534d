/**
 * `npm run fuzz -- --blocks 100000 --seed 7`: the long run of the fraud proofs' fuzz test, on a fresh anvil every so often. Prints what it
 * drew; the seed of each part is the first seed plus its number, so that a part can be repeated alone.
 */
import { parseArgs } from 'node:util'
import { startAnvil } from '../test/support/anvil.ts'
import { fuzzFraud } from '../test/support/fraudFuzz.ts'
import { createClient, deployRootChain } from '../test/support/rootChain.ts'

const PART = 1_000

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      blocks: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    },
  })
  const [blocks, seed] = [Number(values.blocks), Number(values.seed)]
  if (!Number.isSafeInteger(blocks) || blocks < 1) throw new Error(`--blocks: got ${values.blocks}, want 1 or more`)
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed: got ${values.seed}, want 0 or more`)
  const total = new Map<string, number>()
  for (let done = 0; done < blocks; done += PART) {
    const part = { seed: seed + done / PART, blocks: Math.min(PART, blocks - done) }
    const anvil = await startAnvil()
    try {
      const chain = await deployRootChain(createClient(anvil.url))
      for (const [rule, count] of await fuzzFraud({ chain, url: anvil.url }, part)) {
        total.set(rule, (total.get(rule) ?? 0) + count)
      }
    } finally {
      anvil.stop()
    }
    console.log(
      `${done + part.blocks} blocks, seeds ${seed} to ${part.seed}: ${JSON.stringify(Object.fromEntries(total))}`,
    )
  }
}

await main()

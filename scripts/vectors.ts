/**
 * Golden vectors: `node --import tsx scripts/vectors.ts` writes test/vectors/*.json, which the TypeScript and the Solidity tests read
 * alike. Deterministic: a fixed seed and deterministic signatures. What a negative vector is refused with is written here by hand.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codecVectors } from './vectors/codec.ts'
import { feeVectors, parameterVectors } from './vectors/economy.ts'
import { disputeVectors, exitVectors, headerVectors, mandateVectors, positionVectors } from './vectors/records.ts'
import { signatureVectors, transactionVectors } from './vectors/transactions.ts'
import { treeVectors } from './vectors/trees.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Path from the project's root to the file's whole content. The same on every machine. */
export function generateVectors(): Record<string, string> {
  const files = {
    positions: positionVectors(),
    transactions: transactionVectors(),
    signatures: signatureVectors(),
    codec: codecVectors(),
    trees: treeVectors(),
    headers: headerVectors(),
    exits: exitVectors(),
    disputes: disputeVectors(),
    mandates: mandateVectors(),
    fees: feeVectors(),
    parameters: parameterVectors(),
  }
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => [`test/vectors/${name}.json`, toText(content)]),
  )
}

/** JSON with amounts as decimal text. */
function toText(content: unknown): string {
  return `${JSON.stringify(content, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 1)}\n`
}

function main(): void {
  mkdirSync(join(ROOT, 'test/vectors'), { recursive: true })
  for (const [path, content] of Object.entries(generateVectors())) {
    writeFileSync(join(ROOT, path), content)
    console.log(`wrote ${path}`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()

/**
 * `npm run gen`: writes every generated file. With --check it writes nothing and fails when a file on disk is stale, naming it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Artifact, compileFolders } from '../contracts/compile.ts'
import { generateVectors } from './vectors.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const NOTE = '// Written by `npm run gen` from the Solidity sources. Do not edit.\n'

/** Limit for our own units: the protocol's 24,576 bytes less ten per cent. */
const SIZE_LIMIT = 22_118

export function generateFiles(): Record<string, string> {
  const own = compileFolders(ROOT, ['contracts'])
  const tests = compileFolders(ROOT, ['contracts', 'test/contracts'])
  for (const [name, { deployedSize }] of Object.entries(own)) {
    if (deployedSize > SIZE_LIMIT)
      throw new Error(`${name}: got ${deployedSize} bytes of code, want at most ${SIZE_LIMIT}`)
  }
  const testOnly = Object.fromEntries(Object.entries(tests).filter(([name]) => !(name in own)))
  return {
    'contracts/artifacts.generated.ts': artifactsFile(own),
    'contracts/layout.generated.json': `${JSON.stringify(layoutOf(own), null, 2)}\n`,
    'test/contracts/artifacts.generated.ts': artifactsFile(testOnly),
    ...generateVectors(),
  }
}

function artifactsFile(artifacts: Record<string, Artifact>): string {
  const parts = Object.entries(artifacts).map(([name, { abi, bytecode }]) => {
    const constant = name.replace(/^I(?=[A-Z])/, 'i').replace(/^[A-Z]/, (letter) => letter.toLowerCase())
    const declaration = `export const ${constant}Abi = ${abiText(abi)} as const\n`
    return bytecode === '0x' ? declaration : `${declaration}\nexport const ${constant}Bytecode = '${bytecode}'\n`
  })
  return `${NOTE}\n${parts.join('\n')}`
}

function abiText(abi: readonly unknown[]): string {
  return `[\n${abi.map((entry) => `  ${JSON.stringify(entry)},`).join('\n')}\n]`
}

type Layout = { storage: { label: string; slot: string; offset: number; type: string }[] }

/** The units that share the root contract's storage. */
const SHARED_STORAGE = ['Lifeboat', 'EvidenceModule', 'DisputeModule', 'MassExitModule', 'EntryModule'] as const

/** Where they keep what. Throws when two of them disagree. */
function layoutOf(artifacts: Record<string, Artifact>): Readonly<{ units: readonly string[]; storage: string[] }> {
  const [first = [], ...others] = SHARED_STORAGE.map((name) => storageRows(artifacts[name]?.storageLayout as Layout))
  if (others.some((rows) => rows.join() !== first.join())) {
    throw new Error(`storage layouts differ: got ${others.join()}, want ${first.join()}`)
  }
  return { units: SHARED_STORAGE, storage: first }
}

/** Struct types carry compiler ids that differ between units; their names do not. */
function storageRows({ storage }: Layout): string[] {
  return storage.map(
    ({ label, slot, offset, type }) => `slot ${slot} offset ${offset}: ${label} (${type.replace(/\)\d+_/g, ')_')})`,
  )
}

export function findStaleFiles(): string[] {
  return Object.entries(generateFiles())
    .filter(([path, content]) => !existsSync(join(ROOT, path)) || readFileSync(join(ROOT, path), 'utf8') !== content)
    .map(([path]) => path)
}

function main(): void {
  if (process.argv.includes('--check')) {
    const stale = findStaleFiles()
    if (stale.length > 0) {
      console.error(`stale generated files, run npm run gen: ${stale.join(', ')}`)
      process.exitCode = 1
    }
    return
  }
  for (const [path, content] of Object.entries(generateFiles())) {
    writeFileSync(join(ROOT, path), content)
    console.log(`wrote ${path}`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()

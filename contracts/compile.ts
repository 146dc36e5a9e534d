/**
 * The compiler script: Solidity to typed artifacts. Compiles with solc from npm and returns what the generated files contain; it writes
 * nothing itself. Compiling takes about half a minute, so results are cached by the hash of sources, settings and compiler.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { bug } from '../protocol/errors.ts'

const require = createRequire(import.meta.url)

const SETTINGS = {
  viaIR: true,
  optimizer: { enabled: true, runs: 1000 },
  evmVersion: 'prague',
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'storageLayout'] } },
} as const

export type Artifact = Readonly<{
  abi: readonly unknown[]
  bytecode: `0x${string}`
  /** Bytes of code on chain; the protocol's limit is 24,576. */
  deployedSize: number
  storageLayout: unknown
}>

/** "Transient storage can break composability": OpenZeppelin's reentrancy guard clears its slot, the use that the warning names safe. */
const GUARD_WARNING = '2394'

/**
 * Contract name to artifact, for every contract and interface in the given folders (an interface has no bytecode, '0x'), libraries
 * and abstract contracts left out. Throws SOLIDITY_ERRORS, for warnings as well.
 */
export function compileFolders(root: string, folders: readonly string[]): Record<string, Artifact> {
  const sources = readSources(root, folders)
  const solcVersion = (require('solc/package.json') as { version: string }).version
  const key = createHash('sha256').update(JSON.stringify({ sources, SETTINGS, solcVersion })).digest('hex')
  const cacheFile = join(root, '.cache', `solc-${key.slice(0, 32)}.json`)
  if (existsSync(cacheFile)) return JSON.parse(readFileSync(cacheFile, 'utf8')) as Record<string, Artifact>
  const artifacts = runSolc(root, sources)
  mkdirSync(join(root, '.cache'), { recursive: true })
  writeFileSync(cacheFile, JSON.stringify(artifacts))
  return artifacts
}

type SolcContract = {
  abi: unknown[]
  evm: { bytecode: { object: string }; deployedBytecode: { object: string } }
  storageLayout: unknown
}
type SolcOutput = {
  errors?: { errorCode?: string; formattedMessage: string }[]
  contracts?: Record<string, Record<string, SolcContract>>
}

function runSolc(root: string, sources: Record<string, string>): Record<string, Artifact> {
  const solc = require('solc') as { compile(input: string, callbacks: object): string }
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(Object.entries(sources).map(([path, content]) => [path, { content }])),
    settings: SETTINGS,
  }
  const readImport = (path: string) => ({ contents: readFileSync(join(root, 'node_modules', path), 'utf8') })
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport })) as SolcOutput
  const errors = (output.errors ?? []).filter((error) => error.errorCode !== GUARD_WARNING)
  if (errors.length > 0) throw bug('SOLIDITY_ERRORS', errors.map((error) => error.formattedMessage).join('\n'))
  const artifacts: Record<string, Artifact> = {}
  for (const path of Object.keys(sources)) {
    for (const [name, contract] of Object.entries(output.contracts?.[path] ?? {})) {
      if (contract.evm.bytecode.object === '' && !/^I[A-Z]/.test(name)) continue
      if (contract.abi.length === 0) continue
      artifacts[name] = {
        abi: contract.abi,
        bytecode: `0x${contract.evm.bytecode.object}`,
        deployedSize: contract.evm.deployedBytecode.object.length / 2,
        storageLayout: contract.storageLayout,
      }
    }
  }
  return artifacts
}

function readSources(root: string, folders: readonly string[]): Record<string, string> {
  const sources: Record<string, string> = {}
  for (const folder of folders) {
    for (const file of readdirSync(join(root, folder)).sort()) {
      if (file.endsWith('.sol')) sources[`${folder}/${file}`] = readFileSync(join(root, folder, file), 'utf8')
    }
  }
  return sources
}

/**
 * `node scripts/completeLock.mjs`, after every `npm install`: a registry that lacks the packages of other platforms leaves them out of the
 * lock file, and `npm ci` then refuses it everywhere. Adds their entries from the versions that their parents pin.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const FILE = 'package-lock.json'
const CPUS = { arm64: 'arm64', x64: 'x64', amd64: 'x64' }
const lock = JSON.parse(readFileSync(FILE, 'utf8'))

for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`
    if (lock.packages[path] || parent === lock.packages['']) continue
    const [os, cpu, libc] = name.split('/').at(-1).split('-').slice(1)
    if (!CPUS[cpu]) throw new Error(`${name}: got a name that tells no platform, want <name>-<os>-<cpu>`)
    lock.packages[path] = {
      version,
      cpu: [CPUS[cpu]],
      ...(parent.dev ? { dev: true } : {}),
      ...(libc ? { libc: [libc] } : {}),
      license: parent.license,
      optional: true,
      os: [os],
    }
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`)

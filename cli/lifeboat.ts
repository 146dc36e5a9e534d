#!/usr/bin/env node
/** The one binary (docs/guide-wallet.md, "Commands"). Only the chosen command's code is loaded, so that starting stays quick. */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runCli } from './run.ts'
import { createTerminalIo } from './terminal.ts'

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await runCli(process.argv.slice(2), createTerminalIo())
}

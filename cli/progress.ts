/** A bar for long work: redrawn in place for a person, a line each tenth for a file. */
import type { CliIo } from './io.ts'

const WIDTH = 30
const PARTS = 10

/** One bar; work of another kind starts a new one. Work of a single step shows none. */
export function createProgressBar({ err, isInteractive }: Pick<CliIo, 'err' | 'isInteractive'>) {
  let shown = ''
  return (done: number, of: number, what: string): void => {
    if (of < 2) return
    if (isInteractive) {
      const filled = Math.floor((done * WIDTH) / of)
      err(`\r[${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${done}/${of} ${what}${done >= of ? '\n' : ''}`)
      return
    }
    const part = `${what} ${Math.floor((done * PARTS) / of)}`
    if (part !== shown && done > 0) err(`${done}/${of} ${what}\n`)
    shown = part
  }
}

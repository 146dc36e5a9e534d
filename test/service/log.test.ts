import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { invalid } from '../../protocol/errors.ts'
import { createLog, createMemoryLog } from '../../service/log.ts'
import { createTextDestination } from '../../service/logText.ts'

const log = suite('log')

log('a line is one JSON object with event, level, name, time and fields', () => {
  const { log, lines } = createMemoryLog()
  log.info('block.submitted', { childBlock: 5 })
  const { time, ...rest } = lines[0]!
  assert.equal(rest, { level: 'info', name: 'test', event: 'block.submitted', childBlock: 5 })
  assert.match(String(time), /^\d{4}-\d\d-\d\dT/)
})

log('amounts are written to the wei, also inside lists and children', () => {
  const { log, lines } = createMemoryLog()
  log.child({ totalWei: 2n ** 64n }).info('paid', { parts: [{ amountWei: 10n ** 20n }] })
  assert.is(lines[0]?.['totalWei'], '18446744073709551616')
  assert.equal(lines[0]?.['parts'], [{ amountWei: '100000000000000000000' }])
})

log('an error keeps its code, details and cause', () => {
  const { log, lines } = createMemoryLog()
  log.warn('peer.failed', { error: invalid('ROOT_WRONG', 'wrong root', { got: 1n, want: 2n }, new Error('socket')) })
  const error = lines[0]?.['error'] as Record<string, unknown>
  assert.is(error['code'], 'ROOT_WRONG')
  assert.equal(error['details'], { got: '1', want: '2' })
  assert.is((error['cause'] as Record<string, unknown>)['message'], 'socket')
})

log('a field cannot replace the event or the level', () => {
  const { log, lines } = createMemoryLog()
  log.info('tx.rejected', { event: 'forged', level: 'error', name: 'other' })
  assert.is(lines[0]?.event, 'tx.rejected')
  assert.is(lines[0]?.level, 'info')
})

log('lines below the level are not written', () => {
  const lines: string[] = []
  const quiet = createLog({ name: 'x', level: 'warn', destination: { write: (line) => void lines.push(line) } })
  quiet.info('one')
  quiet.warn('two')
  assert.is(lines.length, 1)
})

log('a test fails on an error line and shows it', () => {
  const { log, assertNoErrors } = createMemoryLog()
  log.warn('fine')
  assertNoErrors()
  log.error('vault.wrong', { missingWei: 1n })
  assert.throws(assertNoErrors, /vault\.wrong/)
})

log('text from outside cannot forge a second line on the terminal', () => {
  const texts: string[] = []
  const destination = createTextDestination((text) => texts.push(text))
  createLog({ name: 'operator', destination }).info('tx.rejected', { memo: 'a\n12:00 info \u001b[31m', block: 4 })
  assert.is(texts.length, 1)
  assert.match(
    texts[0]!,
    /^\d\d:\d\d:\d\d\.\d{3} info {2}operator tx\.rejected memo="a\\n12:00 info \\u001b\[31m" block=4\n$/,
  )
})

log.run()

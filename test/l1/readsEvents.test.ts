import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeAbiParameters, encodeEventTopics, parseAbi } from 'viem'
import { decodeEvents } from '../../l1/events.ts'
import type { RawLog } from '../../l1/receipts.ts'
import type { Address, Hash, Hex } from '../../protocol/bytes.ts'
import { ROOT } from './followerFake.ts'

const events = suite('l1 event decoding')

const OWNER: Address = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'
const MIXED = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const abi = parseAbi([
  'event Deposited(address indexed owner, uint64 position, address token)',
  'event Named(address[] indexed all, string name)',
  'function deposit()',
])

const place = { address: ROOT, logIndex: 0, transactionIndex: 0, transactionHash: `0x${'11'.repeat(32)}` as Hash }
const raw = (topics: readonly Hex[], data: Hex): RawLog => ({ ...place, topics, data })

function deposited(): RawLog {
  const topics = encodeEventTopics({ abi, eventName: 'Deposited', args: { owner: MIXED } }) as Hex[]
  return raw(topics, encodeAbiParameters([{ type: 'uint64' }, { type: 'address' }], [7n, MIXED]))
}

events('gives typed events in log order, addresses in lower case', () => {
  const log = deposited()
  const { events, unknown } = decodeEvents(abi, [log, log])
  assert.equal(unknown, [])
  assert.is(events.length, 2)
  const [event] = events
  if (event?.eventName !== 'Deposited') throw new Error('not a deposit')
  const position: bigint = event.args.position
  assert.is(position, 7n)
  assert.equal(event.args, { owner: OWNER, position: 7n, token: OWNER })
  assert.is(event.log, log)
})

events('hands back every log that the ABI does not know', () => {
  const known = deposited()
  const other = raw([`0x${'22'.repeat(32)}`], '0x')
  const bare = raw([], '0x01')
  const { events, unknown } = decodeEvents(abi, [other, known, bare])
  assert.is(events.length, 1)
  assert.equal(
    unknown.map(({ log }) => log),
    [other, bare],
  )
  assert.match(unknown[0]!.reason, /no such event/)
})

events('hands back a log of a known event that does not decode', () => {
  const log = deposited()
  const lies = [
    { ...log, data: '0x' as Hex },
    { ...log, data: log.data.slice(0, 66) as Hex },
    { ...log, topics: log.topics.slice(0, 1) },
  ]
  const { events, unknown } = decodeEvents(abi, lies)
  assert.is(events.length, 0)
  assert.equal(
    unknown.map(({ reason }) => /^Deposited does not decode/.test(reason)),
    [true, true, true],
  )
})

events('leaves the hash of an indexed array and text that looks like an address alone', () => {
  const [topic] = encodeEventTopics({ abi, eventName: 'Named' }) as Hex[]
  const log = raw([topic!, `0x${'AB'.repeat(32)}`], encodeAbiParameters([{ type: 'string' }], [MIXED]))
  const [event] = decodeEvents(abi, [log]).events
  assert.equal(event?.args, { all: `0x${'AB'.repeat(32)}`, name: MIXED })
})

events.run()

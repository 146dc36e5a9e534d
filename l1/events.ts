/** Verified logs as typed events (docs/spec.md, "Reading L1"). A log that the ABI does not know is handed back, never dropped. */
import {
  type Abi,
  type AbiEvent,
  type ContractEventName,
  type DecodeEventLogReturnType,
  decodeEventLog,
  type Hex,
} from 'viem'
import { toEventSelector } from 'viem/utils'
import { lowerAddresses } from './abiValues.ts'
import type { RawLog } from './receipts.ts'

export type DecodedEvent<abi extends Abi> = DecodeEventLogReturnType<abi, ContractEventName<abi>, Hex[], Hex, true> &
  Readonly<{ log: RawLog }>

export type UnknownLog = Readonly<{ log: RawLog; reason: string }>

/** Both lists in log order. Addresses in args are lower case; integers of up to 48 bits are numbers, wider ones bigint. */
export function decodeEvents<const abi extends Abi>(
  abi: abi,
  logs: readonly RawLog[],
): { events: DecodedEvent<abi>[]; unknown: UnknownLog[] } {
  const byTopic = new Map(abi.filter(isEvent).map((event) => [toEventSelector(event), event]))
  const events: DecodedEvent<abi>[] = []
  const unknown: UnknownLog[] = []
  for (const log of logs) {
    const event = byTopic.get(log.topics[0] as Hex)
    const decoded = event ? decodeOne(event, log) : 'no such event in the ABI'
    if (typeof decoded === 'string') unknown.push({ log, reason: decoded })
    // The shape is the one viem derives from this ABI item.
    else events.push({ ...decoded, log } as unknown as DecodedEvent<abi>)
  }
  return { events, unknown }
}

function isEvent(item: Abi[number]): item is AbiEvent {
  return item.type === 'event' && !item.anonymous
}

function decodeOne(event: AbiEvent, log: RawLog): { eventName: string; args: unknown } | string {
  try {
    const topics = [...log.topics] as [Hex, ...Hex[]]
    const { eventName, args } = decodeEventLog({ abi: [event], data: log.data, topics, strict: true })
    return { eventName, args: lowerAddresses(event.inputs, args) }
  } catch (error) {
    return `${event.name} does not decode: ${error instanceof Error ? error.name : 'unknown error'}`
  }
}

/**
 * Several L1 endpoints as one, for whoever acts (docs/spec.md, "Reading L1"): what one does not answer the next is asked, and what is sent goes
 * to all. A dead endpoint then stops no challenge, and one that swallows transactions has to swallow them everywhere.
 */
import type { Endpoint, RpcCall } from '../l1/endpoint.ts'
import { isLifeboatError } from '../protocol/errors.ts'

const SENDING = 'eth_sendRawTransaction'

export type JoinedEndpoints = Endpoint &
  Readonly<{
    /** Asks the endpoint at that place first from now on: it shows more than the others. */
    prefer(place: number): void
  }>

/** The first as it is, if there is only one. Rejects as the last that was asked does; a sending, as the first does, when all refuse. */
export function joinEndpoints(endpoints: readonly [Endpoint, ...Endpoint[]]): JoinedEndpoints {
  const [first, ...others] = endpoints
  if (others.length === 0) return { ...first, prefer: () => {} }
  /** Who answered last: a dead one is not asked first again and again. */
  let current = 0

  async function ask<T>(act: (endpoint: Endpoint) => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried++) {
      try {
        return await act(endpoints[current] ?? first)
      } catch (error) {
        const isPassing = isLifeboatError(error) && error.family === 'retryable'
        if (!isPassing || tried === endpoints.length) throw error
        current = (current + 1) % endpoints.length
      }
    }
  }

  async function sendToAll<T>(act: (endpoint: Endpoint) => Promise<T>): Promise<T> {
    const sent = await Promise.allSettled(endpoints.map(act))
    const taken = sent.find((one) => one.status === 'fulfilled')
    if (taken) return taken.value
    throw (sent[0] as PromiseRejectedResult).reason
  }

  const isSending = ({ method }: RpcCall) => method === SENDING
  return {
    name: endpoints.map(({ name }) => name).join(' or '),
    chainId: first.chainId,
    lacks: new Set(endpoints.flatMap(({ lacks }) => [...lacks])),
    read: (call, schema) => (isSending(call) ? sendToAll : ask)((endpoint) => endpoint.read(call, schema)),
    readMany: (calls, schema) =>
      (calls.some(isSending) ? sendToAll : ask)((endpoint) => endpoint.readMany(calls, schema)),
    prefer: (place) => {
      current = place % endpoints.length
    },
  }
}

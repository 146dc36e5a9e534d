/** Token buckets, one per client: how much a stranger may ask of us. In memory, so a restart forgives everybody. */

export type RateLimit = Readonly<{
  /** Takes `cost` tokens of the client's bucket. 0: allowed. Otherwise nothing was taken, and so many seconds are to be waited. */
  take(client: string, cost?: number): number
}>

export type RateLimitOptions = Readonly<{
  /** Tokens that come back per second. */
  perSecond: number
  /** Size of a bucket. */
  burst: number
  /** Most clients remembered; default 10,000. */
  clients?: number
  /** Milliseconds. */
  now: () => number
}>

type Bucket = { tokens: number; at: number }

/** When there are too many clients, the one that was quiet longest is forgotten: an attacker with many addresses costs no memory. */
export function createRateLimit({ perSecond, burst, clients = 10_000, now }: RateLimitOptions): RateLimit {
  const buckets = new Map<string, Bucket>()
  return {
    take: (client, cost = 1) => {
      const at = now()
      const bucket = buckets.get(client) ?? { tokens: burst, at }
      bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, at - bucket.at) / 1000) * perSecond)
      bucket.at = at
      buckets.delete(client)
      buckets.set(client, bucket)
      if (buckets.size > clients) buckets.delete(buckets.keys().next().value ?? client)
      // What costs more than a full bucket is allowed on a full one, or it could never be asked.
      const price = Math.min(cost, burst)
      if (bucket.tokens < price) return (price - bucket.tokens) / perSecond
      bucket.tokens -= price
      return 0
    },
  }
}

/** One text per client: an IPv4 address, or the /64 network of an IPv6 one, of which a single home has all addresses. */
export function clientOf(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!address.includes(':')) return address
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::')
  const left = head.split(':').filter(Boolean)
  const right = (tail ?? '').split(':').filter(Boolean)
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return `${groups.slice(0, 4).join(':')}::/64`
}

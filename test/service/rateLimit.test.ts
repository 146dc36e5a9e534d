import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { clientOf, createRateLimit } from '../../service/rateLimit.ts'

const rateLimit = suite('rate limit')

rateLimit('tokens come back with time, and never beyond the burst', () => {
  let now = 0
  const { take } = createRateLimit({ perSecond: 10, burst: 2, now: () => now })
  assert.equal([take('a'), take('a'), take('a')], [0, 0, 0.1])
  now = 100
  assert.equal([take('a'), take('a')], [0, 0.1])
  now = 1_000_000
  assert.equal([take('a'), take('a'), take('a')], [0, 0, 0.1])
})

rateLimit('a clock that goes back gives nothing and takes nothing', () => {
  let now = 1_000
  const { take } = createRateLimit({ perSecond: 1, burst: 1, now: () => now })
  assert.is(take('a'), 0)
  now = 0
  assert.is(take('a'), 1)
})

rateLimit('a request dearer than the burst passes on a full bucket, or it never would', () => {
  const { take } = createRateLimit({ perSecond: 1, burst: 5, now: () => 0 })
  assert.is(take('a', 50), 0)
  assert.is(take('a', 1), 1)
})

rateLimit('many addresses cost no memory, and a busy one is not forgotten first', () => {
  const { take } = createRateLimit({ perSecond: 1, burst: 1, clients: 3, now: () => 0 })
  take('busy')
  for (let i = 0; i < 10; i++) {
    take(`other ${i}`)
    assert.is(take('busy'), 1)
  }
})

rateLimit('an IPv6 home is one client, whatever address it takes', () => {
  assert.is(clientOf('2001:db8:1:2:3:4:5:6'), clientOf('2001:DB8:1:2::9'))
  assert.is.not(clientOf('2001:db8:1:2::1'), clientOf('2001:db8:1:3::1'))
  assert.is(clientOf('::1'), '0:0:0:0::/64')
  assert.is(clientOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  assert.is(clientOf('::ffff:10.0.0.1'), '10.0.0.1')
  assert.is(clientOf('10.0.0.1'), '10.0.0.1')
})

rateLimit.run()

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRecentMap } from '../../service/recentMap.ts'

const test = suite('recent map')

test('keeps what was set lately, and never more than twice its half', () => {
  const map = createRecentMap<number, number>(10)
  for (let key = 0; key < 100; key++) {
    map.set(key, key)
    for (let recent = Math.max(0, key - 9); recent <= key; recent++) assert.is(map.get(recent), recent)
    const kept = Array.from({ length: 100 }, (_, one) => map.get(one)).filter((value) => value !== undefined)
    assert.ok(kept.length <= 20, `${kept.length} after ${key}`)
  }
})

test('does not bring back an older value when a newer one is deleted', () => {
  const map = createRecentMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 1)
  map.set('c', 1)
  map.set('a', 2)
  assert.is(map.get('a'), 2)
  map.delete('a')
  assert.is(map.get('a'), undefined)
  map.clear()
  assert.is(map.get('c'), undefined)
})

test.run()

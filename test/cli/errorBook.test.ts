/** The error book against the sources: no code that a person can meet is missing from it, and none stands there that nothing makes. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findError, listErrors } from '../../cli/errorBook.ts'
import { iLifeboatAbi, iSuretyAbi } from '../../contracts/artifacts.generated.ts'
import { isAlertCode } from '../../watcher/alerts.ts'
import { COMPUTED, findCodes, readSources } from './errorCodes.ts'
import { lifeboat } from './fakeIo.ts'

const book = suite('error book')
const ROOT = join(import.meta.dirname, '..', '..')

/** Codes that no person meets, each with the reason. */
const NEVER_SEEN: Readonly<Record<string, string>> = {
  BELOW_MINIMUM: 'a fault of a mandate (protocol/mandate.ts), told inside MANDATE_REFUSED or MandateRefused',
  DIGEST_INVALID: 'signDigest is only handed 32-byte hashes',
  LEAF_MISSING: 'proofs are only made of leaves that were looked up in the tree',
  OTHER_BLOCK: 'a detail of the alert PEER_SERVED_GARBAGE',
  OTHER_DELEGATE: 'a fault of a mandate, as above',
  OTHER_OUTPUT: 'a fault of a mandate, as above',
  OTHER_OWNER: 'a fault of a mandate, as above',
  OUT_OF_PERIOD: 'a fault of a mandate, as above',
  RECORD_INVALID: 'a drill’s report reads only the record that the same run wrote',
  RECOVERY_INVALID: 'the embedded L1 answers with a JSON-RPC error in words instead',
  TREE_TOO_LARGE: 'a block and a batch hold at most as many leaves as a tree takes',
}

const isOurs = (code: string) => /^[A-Z][A-Z0-9_]+$/.test(code)

book('has an entry for every code that a person can meet', () => {
  const { made } = findCodes()
  assert.ok(made.size > 250)
  const missing = [...made].filter(([code]) => !findError(code) && !(code in NEVER_SEEN))
  assert.equal(
    missing.map(([code, places]) => `${code}: ${places.join(', ')}`),
    [],
  )
})

book('has no entry for a code that nothing makes', () => {
  const { made, bugs } = findCodes()
  const ours = listErrors().filter((code) => isOurs(code) && !isAlertCode(code))
  assert.equal(
    ours.filter((code) => !made.has(code) && !bugs.has(code)),
    [],
  )
  const errors: readonly { type: string; name?: string }[] = [...iLifeboatAbi, ...iSuretyAbi]
  const ofContracts = new Set(errors.filter(({ type }) => type === 'error').map(({ name }) => name))
  assert.equal(
    listErrors().filter((code) => !isOurs(code) && !ofContracts.has(code)),
    [],
  )
})

book('keeps no exception that is out of date', () => {
  const { made, computed } = findCodes()
  assert.equal(
    Object.keys(NEVER_SEEN).filter((code) => !made.has(code) || findError(code)),
    [],
  )
  assert.equal([...computed].sort(), Object.keys(COMPUTED).sort())
})

book('finds codes on the next line, in choices, under other names and handed on, and none in comments', () => {
  const found = (file: string, text: string) => {
    const { made, bugs, computed } = findCodes(new Map([[file, text]]))
    return [[...made.keys()], [...bugs], computed]
  }
  assert.equal(found('a.ts', "throw invalid(\n  'NEXT_LINE',\n  f(1),\n)"), [['NEXT_LINE'], [], []])
  assert.equal(found('a.ts', "throw configError(isA ? 'ONE' : 'TWO', 'words')"), [['ONE', 'TWO'], [], []])
  assert.equal(found('a.ts', "throw (late ? retryable : invalid)('EITHER', 'words')"), [['EITHER'], [], []])
  assert.equal(found('a.ts', "const make = x ? retryable : invalid\nmake('ALIAS', 'words')"), [
    ['ALIAS'],
    [],
    ['a.ts (another name)'],
  ])
  assert.equal(found('a.ts', "const body = { code: 'IN_DATA', got: 1 }"), [['IN_DATA'], [], []])
  assert.equal(found('operator/admit.ts', "const a = { ...bodyOf('SPREAD', 'words') }"), [['SPREAD'], [], []])
  assert.equal(found('a.ts', 'throw invalid(errorOf(x, y).code, words)'), [[], [], ['a.ts errorOf(x, y).code']])
  assert.equal(found('a.ts', "throw invalid(isA ? 'ONE' : error.code, words)"), [
    ['ONE'],
    [],
    ["a.ts isA ? 'ONE' : error.code"],
  ])
  assert.equal(found('a.ts', "throw bug('OURS', 'words')"), [[], ['OURS'], []])
  assert.equal(found('a.ts', "/** invalid('NOT_THIS') */\n// invalid('NOR_THIS')\nlog.invalid('NOR_THAT')"), [
    [],
    [],
    [],
  ])
})

book('tells what each says where several use one code, and names none twice', () => {
  const entry = findError('INPUT_SPENT')
  assert.match(entry?.meaning ?? '', 'V3')
  assert.match(entry?.meaning ?? '', 'for good')
  assert.match(findError('CHAIN_HALTED')?.kind ?? '', 'wallet, watcher alert')
  const twice = listErrors().filter((code) => {
    const kinds = findError(code)?.kind.split(', ') ?? []
    return new Set(kinds).size < kinds.length
  })
  assert.equal(twice, [])
  assert.is(new Set(listErrors().map((code) => code.toLowerCase())).size, listErrors().length)
})

book('names only commands, options and documents that there are', () => {
  const sources = readSources()
  const tables = [...sources].filter(([file]) => /^cli\/|\/config\.ts$/.test(file)).map(([, text]) => text)
  const commands = new Set(
    [...(sources.get('cli/run.ts') ?? '').matchAll(/^ {2}'?([a-z-]+)'?: \{/gm)].map(([, name]) => name),
  )
  assert.ok(commands.has('mass-exit') && commands.has('send'))
  const hasOption = (flag: string) => {
    const key = flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    const entry = new RegExp(`[\\s{]${key}: (?:\\{|\\w+Entry\\b)`)
    return flag === 'help' || tables.some((text) => entry.test(text))
  }
  const wrong = listErrors().flatMap((code) => {
    const { meaning = '', remedy = '' } = findError(code) ?? {}
    const words = `${meaning} ${remedy}`
    const named = [...words.matchAll(/`lifeboat ([a-z-]+)/g)].filter(([, name]) => !commands.has(name))
    const flags = [...words.matchAll(/(?<![\w-])--([a-z][a-z0-9-]*)/g)].filter(([, flag]) => !hasOption(flag as string))
    const documents = [...words.matchAll(/docs\/[\w-]+\.md/g)].filter(([path]) => !existsSync(join(ROOT, path)))
    const isDone = [meaning, remedy].every((part) => /[.)]$/.test(part) && part.length > 4)
    return [...named, ...flags, ...documents]
      .map(([what]) => `${code}: ${what}`)
      .concat(isDone ? [] : [`${code}: words`])
  })
  assert.equal(wrong, [])
})

book(
  'sends who asks for an unknown code on to the list, and to the entry that tells what a fault of the program is',
  async () => {
    const { code, err } = await lifeboat(['explain', 'error', 'UNREACHABLE'])
    assert.is(code, 1)
    assert.match(err, 'lifeboat explain error`')
    assert.match(err, 'explain error ERROR_UNKNOWN')
    const { out } = await lifeboat(['explain', 'error', 'ERROR_UNKNOWN'])
    assert.match(out, 'fault of the program')
    assert.match(out, 'Report')
  },
)

book.run()

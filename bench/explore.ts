/**
 * `npm run explore`: the explorer of the exit games at length (`docs/explorer.md`). Each scenario with all rules on and with each rule off whose story it
 * tells; a table of states, paths, seconds and result, and the stories. Exits with 1 when a scenario with all rules on breaks, or a rule's story stays away.
 *
 *     --scenario <start of a name>   only these        --off <rule,rule>   these rules off, in every scenario; `none`: only all on
 *     --depth <moves>                at most so many   --mep <ticks>       ticks in a period, a multiple of 8
 *     --states <count>               give up there     --long              the larger variants        --quiet   no stories
 *
 * With `--walks <count>` or `--minutes <count>`: random walks through mass exits, single exits, disputes and halts on the root contract instead, `--seed <number>`
 * being the first one's. What breaks is made short and told.
 */
import { parseArgs } from 'node:util'
import { runWalks, tellTally } from '../test/explorer/crowd/run.ts'
import { explore } from '../test/explorer/explore.ts'
import { AMENDMENTS, type Amendment, createRules } from '../test/explorer/rules.ts'
import { createGame } from '../test/explorer/scenario.ts'
import { SCENARIOS, type Scenario } from '../test/explorer/scenarios.ts'

/** More moves than any path has. */
const NO_LIMIT = 99
/** More minutes than anybody waits. */
const FOR_EVER = 1e9

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: '' },
    off: { type: 'string' },
    depth: { type: 'string', default: String(NO_LIMIT) },
    states: { type: 'string', default: '2000000' },
    mep: { type: 'string', default: '8' },
    long: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    walks: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
})

/** A count from the command line; complains with the option's name. */
function count(name: 'depth' | 'states' | 'mep'): number {
  const value = Number(values[name])
  const step = name === 'mep' ? 8 : 1
  if (!Number.isSafeInteger(value) || value < step || value % step !== 0) {
    throw new RangeError(`--${name}: got ${values[name]}, want a multiple of ${step}`)
  }
  return value
}

function amendmentOf(name: string): Amendment {
  if (!Object.hasOwn(AMENDMENTS, name))
    throw new RangeError(`--off: got ${name}, want of ${Object.keys(AMENDMENTS).join(', ')}`)
  return name as Amendment
}

function offSets(scenario: Scenario): Amendment[][] {
  if (values.off === 'none') return [[]]
  if (values.off !== undefined) return [values.off.split(',').map(amendmentOf)]
  return [[], ...scenario.shows.map((amendment) => [amendment])]
}

/** A number of walks, minutes or the first seed. */
function amount(name: 'walks' | 'minutes' | 'seed', fallback: number): number {
  const value = Number(values[name] ?? fallback)
  if (!(value > 0) || (name !== 'minutes' && !Number.isSafeInteger(value)))
    throw new RangeError(`--${name}: got ${values[name]}, want a number above 0`)
  return value
}

async function walk(): Promise<void> {
  const [walks, minutes] = [amount('walks', 2 ** 40), amount('minutes', FOR_EVER)]
  const tally = await runWalks({ first: amount('seed', 1), walks, minutes })
  console.log(tellTally(tally))
  for (const { seed, broken, story } of tally.broken) {
    console.log([`\nseed ${seed}: ${broken}`, ...(values.quiet ? [] : story)].join('\n'))
    process.exitCode = 1
  }
}

if (values.walks !== undefined || values.minutes !== undefined) {
  await walk()
  process.exit()
}

const limits = { depth: count('depth'), states: count('states') }
const mep = count('mep')
const chosen = SCENARIOS.filter(({ name }) => name.startsWith(values.scenario))
if (chosen.length === 0)
  throw new RangeError(`--scenario: got ${values.scenario}, want of ${SCENARIOS.map((s) => s.name).join(', ')}`)
console.log('| scenario | off | states | paths | seconds | result |\n|---|---|---|---|---|---|')
const stories: string[] = []
for (const scenario of chosen) {
  for (const off of offSets(scenario)) {
    const draft = values.long ? { ...scenario, ...scenario.long } : scenario
    const { states, paths, seconds, found, complete } = explore(
      createGame(draft, createRules([...(scenario.without ?? []), ...off], mep)),
      limits,
    )
    const upTo = limits.depth < NO_LIMIT ? ` in ${limits.depth} moves` : ''
    const outcome = found?.broken ?? (complete ? `nothing found${upTo}` : `gave up: nothing found so far${upTo}`)
    const cells = [scenario.name, off.join(' '), states, paths.toPrecision(3), seconds.toFixed(1), outcome]
    console.log(`| ${cells.join(' | ')} |`)
    if (found !== null) stories.push(`\n${scenario.name}, ${off.join(' ') || 'all rules on'}`, ...found.story)
    const wanted = off.length > 0 && values.off === undefined
    if ((off.length === 0 && found !== null) || (wanted && found === null)) process.exitCode = 1
  }
}
if (!values.quiet) console.log(stories.join('\n'))

/** Two plots of the crowd simulation as SVG, on a ground of their own: light, or dark where the reader's system is. */
import { EASY, HARD, type Runs } from './crowdReport.ts'
import { type Outcome, PERIOD_BLOCKS, START_LIMIT_BLOCKS, WAYS, type WayName } from './crowdWays.ts'

/** Sizes of crowds at even steps of a logarithmic scale. */
export const PLOT_OWNERS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000].map((thousands) => thousands * 1_000)

const WIDTH = 900
const HEIGHT = 520
const PLOT = { left: 124, right: 728, top: 82, bottom: 468 } as const

type Tick = Readonly<{ value: number; label: string }>
type Level = Readonly<{ value: number; label: string; className: string }>
type Line = Readonly<{ className: string; label: string; points: readonly (readonly [number, number])[] }>
type Band = Readonly<{ className: string; points: readonly (readonly [number, number])[] }>
type Plot = Readonly<{
  title: string
  subtitle: string
  yTicks: readonly Tick[]
  levels: readonly Level[]
  bands: readonly Band[]
  lines: readonly Line[]
}>

const X_TICKS: readonly Tick[] = [
  { value: 1e3, label: '1,000' },
  { value: 1e4, label: '10,000' },
  { value: 1e5, label: '100,000' },
  { value: 1e6, label: '1,000,000 owners' },
]

const CLASS: Readonly<Record<WayName, string>> = { 'mass exit': 'mass', 'one by one': 'single', OMG: 'omg' }
const LABEL: Readonly<Record<WayName, string>> = {
  'mass exit': 'mass exit: locked',
  'one by one': 'one by one',
  OMG: 'OMG, one by one',
}

export function plotPlaces(runs: Runs): string {
  const blocks = (value: (outcome: Outcome) => number, way: WayName, of: typeof HARD | typeof EASY) =>
    PLOT_OWNERS.map((owners) => [owners, value(runs({ ...of, way, owners }))] as const)
  const secured = ({ securedBlock }: Outcome) => securedBlock
  const started = ({ startedBlock }: Outcome) => startedBlock
  return draw({
    title: 'L1 blocks until the last owner has a place',
    subtitle:
      'lines: exits get 10 % of each block and the rest of L1 bids too; shade: down to the whole block and a rest that yields',
    yTicks: [
      { value: 1, label: '1 block' },
      { value: 10, label: '10 (2 min)' },
      { value: 100, label: '100 (20 min)' },
      { value: 1e3, label: '1,000 (3.3 h)' },
      { value: 1e4, label: '10,000 (33 h)' },
      { value: 1e5, label: '100,000 (14 d)' },
    ],
    levels: [
      { value: PERIOD_BLOCKS, label: 'the exit period: a place must be taken by then', className: 'limit' },
      { value: START_LIMIT_BLOCKS, label: 'a mass exit must start by then', className: 'limit soft' },
    ],
    bands: [
      ...WAYS.filter((way) => way !== 'mass exit').map((way) =>
        band(CLASS[way], blocks(secured, way, HARD), blocks(secured, way, EASY)),
      ),
      band('mass', blocks(started, 'mass exit', HARD), blocks(started, 'mass exit', EASY)),
    ],
    lines: [
      ...WAYS.map((way) => ({ className: CLASS[way], label: LABEL[way], points: blocks(secured, way, HARD) })),
      { className: 'mass dashed', label: 'mass exit: started', points: blocks(started, 'mass exit', HARD) },
    ],
  })
}

export function plotCosts(runs: Runs): string {
  const costs = (value: (outcome: Outcome) => bigint, way: WayName) =>
    PLOT_OWNERS.map((owners) => [owners, Number(value(runs({ ...HARD, way, owners }))) / 1e18] as const)
  return draw({
    title: 'ETH an owner, mean',
    subtitle:
      'exits get 10 % of each block, the rest of L1 bids too; 20 gwei before, at most 500; whole: to a place, dashed: until paid',
    yTicks: [
      { value: 1e-5, label: '0.00001 ETH' },
      { value: 1e-4, label: '0.0001 ETH' },
      { value: 1e-3, label: '0.001 ETH' },
      { value: 1e-2, label: '0.01 ETH' },
      { value: 1e-1, label: '0.1 ETH' },
      { value: 1, label: '1 ETH' },
    ],
    levels: [],
    bands: [],
    lines: [
      ...WAYS.map((way) => ({
        className: CLASS[way],
        label: way === 'mass exit' ? 'mass exit: a place' : LABEL[way],
        points: costs(({ securedWeiEach }) => securedWeiEach, way),
      })),
      ...WAYS.map((way) => ({
        className: `${CLASS[way]} dashed`,
        label: way === 'mass exit' ? 'mass exit: paid' : '',
        points: costs(({ paidWeiEach }) => paidWeiEach, way),
      })),
    ],
  })
}

function band(className: string, upper: Band['points'], lower: Band['points']): Band {
  return { className, points: [...upper, ...[...lower].reverse()] }
}

function draw(plot: Plot): string {
  const values = plot.yTicks.map(({ value }) => value)
  const scale = { low: Math.log10(values[0] as number), high: Math.log10(values[values.length - 1] as number) }
  const y = (value: number) => PLOT.bottom - share(Math.log10(value), scale) * (PLOT.bottom - PLOT.top)
  const x = (value: number) => PLOT.left + share(Math.log10(value), { low: 3, high: 6 }) * (PLOT.right - PLOT.left)
  const path = (points: Line['points']) => points.map(([px, py]) => `${round(x(px))},${round(y(py))}`).join(' ')
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${plot.title}">`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    `<text class="title" x="24" y="34">${plot.title}</text>`,
    `<text class="small" x="24" y="55">${plot.subtitle}</text>`,
    ...plot.yTicks.flatMap(({ value, label }) => [
      `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${round(y(value))}" y2="${round(y(value))}"/>`,
      `<text class="tick end" x="${PLOT.left - 10}" y="${round(y(value) + 4)}">${label}</text>`,
    ]),
    ...X_TICKS.flatMap(({ value, label }) => [
      `<line class="grid" x1="${round(x(value))}" x2="${round(x(value))}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>`,
      `<text class="tick middle" x="${round(x(value))}" y="${PLOT.bottom + 24}">${label}</text>`,
    ]),
    ...plot.bands.map(({ className, points }) => `<polygon class="band ${className}" points="${path(points)}"/>`),
    ...plot.levels.flatMap(({ value, label, className }, i) => [
      `<line class="${className}" x1="${PLOT.left}" x2="${PLOT.right}" y1="${round(y(value))}" y2="${round(y(value))}"/>`,
      `<text class="small limit" x="${PLOT.left + 8}" y="${round(y(value) + (i === 0 ? -6 : 15))}">${label}</text>`,
    ]),
    ...plot.lines.flatMap(({ className, points }) => [
      `<polyline class="line ${className}" points="${path(points)}"/>`,
      ...points.map(([px, py]) => `<circle class="dot ${className}" cx="${round(x(px))}" cy="${round(y(py))}" r="3"/>`),
    ]),
    ...labels(plot.lines, y),
    '</svg>',
  ]
  return `${out.join('\n')}\n`
}

/** Names at the right ends of lines, moved apart where they would touch. */
function labels(lines: readonly Line[], y: (value: number) => number): string[] {
  const apart = 17
  const named = lines
    .filter(({ label }) => label !== '')
    .map(({ className, label, points }) => ({
      className,
      label,
      at: y((points[points.length - 1] as [number, number])[1]),
    }))
    .sort((a, b) => a.at - b.at)
  for (const [i, label] of named.entries()) {
    const above = named[i - 1]
    if (above && label.at - above.at < apart) label.at = above.at + apart
  }
  return named.map(
    ({ className, label, at }) =>
      `<text class="name ${className}" x="${PLOT.right + 10}" y="${round(at + 4)}">${label}</text>`,
  )
}

function share(value: number, { low, high }: { low: number; high: number }): number {
  return (value - low) / (high - low)
}

function round(value: number): string {
  return value.toFixed(1)
}

const STYLE = [
  'text{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}',
  '.title{font-size:18px;font-weight:600}.small{font-size:12px;fill:#59636e}.tick{fill:#59636e}',
  '.end{text-anchor:end}.middle{text-anchor:middle}.ground{fill:#ffffff;stroke:#d1d9e0}.grid{stroke:#d1d9e0;stroke-width:1}',
  '.line{fill:none;stroke-width:2.5;stroke-linejoin:round}.dashed{stroke-dasharray:6 5}.dot{stroke:none}.band{stroke:none;opacity:.13}',
  '.mass{stroke:#0969da;fill:#0969da}.single{stroke:#bc4c00;fill:#bc4c00}.omg{stroke:#8250df;fill:#8250df}',
  '.line.mass,.line.single,.line.omg{fill:none}.band.mass,.band.single,.band.omg,.dot.mass,.dot.single,.dot.omg,.name.mass,.name.single,.name.omg{stroke:none}.name{font-weight:600}',
  'line.limit{stroke:#cf222e;stroke-width:1.5}line.soft{stroke-dasharray:3 4}text.limit{fill:#cf222e}',
  '@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.small,.tick{fill:#9198a1}.ground{fill:#0d1117;stroke:#3d444d}.grid{stroke:#2a313c}',
  '.mass{stroke:#4493f8;fill:#4493f8}.single{stroke:#f0883e;fill:#f0883e}.omg{stroke:#ab7df8;fill:#ab7df8}',
  '.line.mass,.line.single,.line.omg{fill:none}.band.mass,.band.single,.band.omg,.dot.mass,.dot.single,.dot.omg,.name.mass,.name.single,.name.omg{stroke:none}.band{opacity:.2}line.limit{stroke:#f85149}text.limit{fill:#f85149}}',
].join('')

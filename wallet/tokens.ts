/**
 * Tokens by symbol (docs/guide-wallet.md, "Tokens"). A symbol is whatever a contract calls itself, so it is read from L1 once, shown
 * with its address, and from then on pinned in the wallet's own file: a symbol means one address for ever, and decimals never change.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { type Address, parseAddress, ZERO_ADDRESS } from '../protocol/bytes.ts'
import { invalid, isLifeboatError } from '../protocol/errors.ts'
import { formatAmount, MAX_DECIMALS, parseAmount } from './amounts.ts'

export type Token = Readonly<{ address: Address; symbol: string; decimals: number }>

export const ETH: Token = { address: ZERO_ADDRESS, symbol: 'ETH', decimals: 18 }

const SYMBOL_TEXT = /^[A-Za-z0-9.$_-]{1,16}$/

const bookSchema = z.strictObject({
  version: z.literal(1),
  chainId: z.int().positive(),
  tokens: z.array(
    z.strictObject({
      address: z.string().regex(/^0x[0-9a-f]{40}$/),
      symbol: z.string().regex(SYMBOL_TEXT),
      decimals: z.int().min(0).max(MAX_DECIMALS),
    }),
  ),
})

/** What a token contract says of itself. Rejects or throws when it says nothing usable. */
export type ReadTokenMetadata = (token: Address) => Promise<Readonly<{ symbol: string; decimals: number }>>

export type TokenBook = Readonly<{
  /** A pinned symbol in any casing, or an address (read from L1 and pinned on first use). Throws TOKEN_UNKNOWN. */
  resolve(text: string): Promise<Token>
  /** Pinned or, failing that, read and pinned; the display of amounts never fails: see `describe`. */
  pin(address: Address, alias?: string): Promise<Token>
  list(): readonly Token[]
  /** "1.5 ETH"; for an unpinned token its address and smallest units. Never touches the network. */
  describe(token: Address, units: bigint): string
  find(address: Address): Token | undefined
}>

export type TokenBookOptions = Readonly<{
  path: string
  chainId: number
  readMetadata: ReadTokenMetadata
  /** Called once per token, when it is pinned: the place to show its address. */
  onFirstUse?: (token: Token) => void
}>

/** Throws TOKEN_FILE_INVALID for a file that is damaged or of another chain. */
export function openTokenBook({ path, chainId, readMetadata, onFirstUse }: TokenBookOptions): TokenBook {
  let tokens: readonly Token[] = loadTokens(path, chainId)
  const all = () => [ETH, ...tokens]
  const find = (address: Address) => all().find((token) => token.address === address)

  async function pin(address: Address, alias?: string): Promise<Token> {
    const known = find(address)
    if (known) return known
    const token = nameToken(
      address,
      await readMetadata(address).catch((cause: unknown) => noMetadata(address, cause)),
      alias,
    )
    const rival = all().find(({ symbol }) => sameSymbol(symbol, token.symbol))
    if (rival) {
      throw invalid('TOKEN_SYMBOL_TAKEN', `another token is called ${token.symbol} here`, {
        got: address,
        want: `${rival.address}, or another name for this one (lifeboat tokens add ${address} --as NAME)`,
      })
    }
    tokens = [...tokens, token]
    saveTokens(path, { version: 1, chainId, tokens: [...tokens] })
    onFirstUse?.(token)
    return token
  }

  return {
    find,
    pin,
    list: all,
    async resolve(text) {
      const named = all().find(({ symbol }) => sameSymbol(symbol, text))
      if (named) return named
      if (text.startsWith('0x')) return pin(parseAddress(text))
      const names = all().map(({ symbol }) => symbol)
      throw invalid('TOKEN_UNKNOWN', 'no token of that name is known here', {
        got: text,
        want: `${names.join(', ')}, or a token's address`,
      })
    },
    describe(address, units) {
      const token = find(address)
      return token ? `${formatAmount(units, token.decimals)} ${token.symbol}` : `${units} units of ${address}`
    },
  }
}

/** "1.5" of this token in its smallest unit; zero refused. Throws the errors of parseAmount, and AMOUNT_ZERO. */
export function parseTokenAmount(text: string, token: Token): bigint {
  const units = parseAmount(text, token.decimals)
  if (units === 0n) throw invalid('AMOUNT_ZERO', 'the amount is zero', { got: text, want: `some ${token.symbol}` })
  return units
}

function nameToken(
  address: Address,
  { symbol, decimals }: Readonly<{ symbol: string; decimals: number }>,
  alias: string | undefined,
): Token {
  const name = alias ?? symbol
  if (!SYMBOL_TEXT.test(name) || !Number.isInteger(decimals) || decimals < 0 || decimals > MAX_DECIMALS) {
    throw invalid('TOKEN_UNREADABLE', 'the token does not describe itself usably', {
      got: { symbol: name.slice(0, 40), decimals },
      want: `a symbol of 1 to 16 plain characters and 0 to ${MAX_DECIMALS} decimals; give a name of your own: lifeboat tokens add ${address} --as NAME`,
    })
  }
  return { address, symbol: name, decimals }
}

function loadTokens(path: string, chainId: number): readonly Token[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const parsed = bookSchema.safeParse(parseJson(text))
  if (!parsed.success || parsed.data.chainId !== chainId) {
    throw invalid('TOKEN_FILE_INVALID', 'the token file cannot be used', {
      got: parsed.success ? `${path} of chain ${parsed.data.chainId}` : path,
      want: `a token file of chain ${chainId}; move the file away to start a new one`,
    })
  }
  return parsed.data.tokens as readonly Token[]
}

function saveTokens(path: string, book: z.infer<typeof bookSchema>): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(book, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

function noMetadata(address: Address, cause: unknown): never {
  if (isLifeboatError(cause) && cause.family === 'retryable') throw cause
  throw invalid(
    'TOKEN_UNREADABLE',
    'nothing that answers like a token stands at this address',
    { got: address, want: 'an ERC-20 contract with symbol() and decimals()' },
    cause,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function sameSymbol(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

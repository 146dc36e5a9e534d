/** Wallets on a real root contract, through the real outbox: the operator never answers, one watcher shows the child blocks that are not withheld. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mnemonicToAccount } from 'viem/accounts'
import type { ExitData } from '../../api/schemas.ts'
import { connectEndpoint } from '../../l1/endpoint.ts'
import { bytesToHex } from '../../protocol/bytes.ts'
import { retryable } from '../../protocol/errors.ts'
import { decodePosition, outputIdOf } from '../../protocol/position.ts'
import { hashTransaction, type SignedTransaction } from '../../protocol/transaction.ts'
import { openDatabase } from '../../service/database.ts'
import { createAccount } from '../../wallet/account.ts'
import { createContext, type WalletContext } from '../../wallet/context.ts'
import { createRootReads } from '../../wallet/rootReads.ts'
import { openSender, type Sender } from '../../wallet/sender.ts'
import { createWalletStore, WALLET_MIGRATIONS } from '../../wallet/store.ts'
import { openTokenBook } from '../../wallet/tokens.ts'
import { startAnvil } from '../support/anvil.ts'
import { submit } from '../support/moves.ts'
import { type ChildBlock, createClient, deployRootChain, ETHER, proveInBlock } from '../support/rootChain.ts'

const MNEMONIC = 'test test test test test test test test test test test junk'

export type ChainWallets = Awaited<ReturnType<typeof startChainWallets>>

export async function startChainWallets() {
  const anvil = await startAnvil()
  const chain = await deployRootChain(createClient(anvil.url))
  const blocks = new Map<number, ChildBlock>()
  const withheld = new Set<number>()
  const senders: Sender[] = []
  const wallets = new Map<number, WalletContext>()

  /** `index`: which of the test accounts. One wallet each, since one outbox owns a key. */
  async function openWallet(index: number): Promise<WalletContext> {
    const wallet = wallets.get(index) ?? (await createWallet(index))
    wallets.set(index, wallet)
    return wallet
  }

  async function createWallet(index: number): Promise<WalletContext> {
    const endpoint = await connectEndpoint({ url: anvil.url, expectedChainId: chain.chainId })
    const account = createAccount(mnemonicToAccount(MNEMONIC, { addressIndex: index }).getHdKey().privateKey!)
    const directory = mkdtempSync(join(tmpdir(), 'lifeboat-wallet-'))
    const root = await createRootReads({ endpoint, rootContract: chain.root, startBlock: 0 })
    const sender = openSender({
      endpoint,
      account,
      rootContract: chain.root,
      file: join(directory, 'outbox.sqlite'),
      budgetWei: ETHER,
      timeoutSeconds: 20,
      confirmations: 1,
      finalityBlocks: root.parameters.finalityBlocks,
      pollMs: 10,
      report: () => undefined,
    })
    senders.push(sender)
    const silent = async (): Promise<never> => {
      throw retryable('SERVER_UNREACHABLE', 'the operator is gone')
    }
    return createContext({
      account,
      domain: { chainId: chain.chainId, rootContract: chain.root },
      child: { submit: silent, transaction: silent, outputs: silent, history: silent, fees: silent, status: silent },
      sources: [{ name: 'watcher', exitData: async (position) => exitData(position) }],
      root,
      send: sender.send,
      store: createWalletStore(openDatabase({ file: ':memory:', applicationId: 7, migrations: WALLET_MIGRATIONS })),
      tokens: openTokenBook({
        path: join(directory, 'tokens.json'),
        chainId: chain.chainId,
        readMetadata: root.token.metadata,
      }),
      waiting: { sleep: async () => undefined, now: () => 0 },
      report: () => undefined,
    })
  }

  function exitData(position: number): ExitData | undefined {
    const { block, index, output } = decodePosition(position)
    const found = blocks.get(block)
    const signed = found?.transactions[index]
    if (!found || !signed || withheld.has(block)) return undefined
    const txHash = hashTransaction(signed.transaction, chain.separator)
    const { inputs, outputs, memo } = signed.transaction
    return {
      kind: 'transaction',
      position,
      outputId: outputIdOf(txHash, output),
      output: outputs[output]!,
      txHash: bytesToHex(txHash),
      transaction: { inputs: [...inputs], outputs: [...outputs], memo },
      header: found.header,
      proof: { ...proveInBlock(chain, found, index) } as never,
    }
  }

  async function seal(transactions: readonly SignedTransaction[], anchor?: number): Promise<ChildBlock> {
    const block = await submit(chain, transactions, anchor)
    blocks.set(block.number, block)
    return block
  }

  async function stop(): Promise<void> {
    for (const sender of senders) await sender.close()
    anvil.stop()
  }

  return { chain, blocks, withheld, openWallet, seal, stop }
}

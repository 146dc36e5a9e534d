/** What errors about the wallet's files mean: keys, swaps, mandates, payments, token names (docs/guide-wallet.md). */

type Page = Readonly<Record<string, readonly [meaning: string, remedy: string]>>

export const FILES: Page = {
  KEY_EXISTS: [
    'The keystore has this key, or a key of this name, already.',
    'Use it, or choose another name with --name.',
  ],
  KEY_FILE_INVALID: [
    'The file is no key file, or contradicts itself.',
    'Take a copy of it, or import the key again; Web3 Secret Storage version 3 is read.',
  ],
  KEY_FILE_MISSING: ['The key file cannot be read.', 'Correct its path or permissions (--keystore).'],
  KEY_INVALID: [
    'This is no private key; the text is not repeated here.',
    'Give 64 hexadecimal digits, with or without 0x.',
  ],
  KEY_NAME_INVALID: ['A key cannot have this name.', 'Use letters, digits, - and _, at most 64.'],
  MANDATE_FILE_INVALID: ['The file is no mandate file.', 'Use one that `lifeboat mandate give` wrote.'],
  MANDATE_FORGED: ['The mandate is not signed by its owner.', 'Ask the owner for the file again.'],
  MANDATE_OTHER_CHAIN: ['The mandate is for another chain or contract.', 'Ask the owner for one of this chain.'],
  NOT_CONFIRMED: [
    'A swap was to be signed and nobody said yes; nothing was signed.',
    'Read the terms (`lifeboat swap show`), then answer yes, or add --yes.',
  ],
  PASSWORD_MISMATCH: ['The new password was typed in two ways.', 'Type it again; no key was made.'],
  PAYMENT_FILE_MISSING: ['The payment file cannot be read.', 'Correct its path or permissions.'],
  SWAP_FILE_INVALID: [
    'The file is no swap file, contradicts itself, or is at another step than the command wants.',
    '`lifeboat swap show` says what it is: offers are accepted, accepted ones completed by their maker.',
  ],
  SWAP_FILE_MISSING: ['The swap file cannot be read.', 'Correct its path or permissions.'],
  SWAP_IMPOSSIBLE: [
    'The swap fits into no transaction: too many inputs or outputs, or inputs that do not cover the terms.',
    'Make a new offer, with fewer or other outputs.',
  ],
  SWAP_NOT_FOR_YOU: [
    'The offer is your own, or for somebody else alone.',
    'Use the account it is for; `got` is this one.',
  ],
  SWAP_OTHER_CHAIN: ['The swap is for another chain or contract.', 'Use the wallet of that deployment.'],
  TOKEN_FILE_INVALID: [
    'The wallet’s file of token names is damaged or of another chain.',
    'Move it away: the wallet starts a new one, and names are given again with `lifeboat tokens add`.',
  ],
  TOKEN_UNREADABLE: [
    'No ERC-20 token answers at the address, or its symbol or decimals cannot be used.',
    'Check the address. If only the symbol is unfit: `lifeboat tokens add <address> --as NAME`.',
  ],
}

/** What the documents say of the tree is there: files, the functions said to be in them, and what links lead to. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where a path of a document may begin; tests are told without their first folder. */
const ROOTS = ['', 'docs', 'test'] as const
const PATH = /`((?:[\w-]+\/)+[\w.-]+\.(?:ts|sol|md|json|svg|png|mjs))`/g
/** `name` (`file`) and (`name`, `file`). */
const NAMED = [/`(\w+)` \(`([\w./-]+\.(?:ts|sol))`/g, /\(`(\w+)`, `([\w./-]+\.(?:ts|sol))`\)/g] as const
const LINK = /\]\(([\w./-]+)(?:#[\w-]*)?\)/g

/** Sentences, each for one document and what it names in vain. */
export function findDocProblems(root: string): string[] {
  const documents = ['README.md', 'CONTRIBUTING.md', ...listDocuments(root, 'docs')]
  return documents.flatMap((document) => {
    const problems = findProblemsOf(readFileSync(join(root, document), 'utf8'), {
      find: (path) => [...ROOTS, dirname(document)].map((at) => join(root, at, path)).find((full) => existsSync(full)),
      read: (full) => readFileSync(full, 'utf8'),
      follow: (link) => existsSync(join(root, dirname(document), link)),
    })
    return problems.map((problem) => `${document}: ${problem}`)
  })
}

export type Tree = Readonly<{
  find(path: string): string | undefined
  read(full: string): string
  follow(link: string): boolean
}>

/** The problems of one document's text, each once. */
export function findProblemsOf(text: string, { find, read, follow }: Tree): string[] {
  const paths = groupsOf(text, PATH).flatMap(([path = '']) =>
    find(path) === undefined ? [`got \`${path}\`, want a file of the tree`] : [],
  )
  const names = NAMED.flatMap((pattern) => groupsOf(text, pattern)).flatMap(([name = '', path = '']) => {
    const full = find(path)
    if (full === undefined || new RegExp(`\\b${name}\\b`).test(read(full))) return []
    return [`got \`${name}\` of \`${path}\`, want a name that stands there`]
  })
  const links = groupsOf(text, LINK).flatMap(([link = '']) =>
    follow(link) ? [] : [`got a link to ${link}, want a file`],
  )
  return [...new Set([...paths, ...names, ...links])]
}

function groupsOf(text: string, pattern: RegExp): string[][] {
  return [...text.matchAll(pattern)].map(([, ...groups]) => groups)
}

function listDocuments(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort()
}

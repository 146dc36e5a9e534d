/** A headless Chromium for the report's test, driven by its DevTools protocol over a WebSocket: no package but `ws`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'

const START_MS = 30_000

const KNOWN = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
]

/** The first that is there, of one that `CHROMIUM` names and the usual ones; undefined where there is none. */
export function findBrowser(paths: readonly string[] = [process.env['CHROMIUM'] ?? '', ...KNOWN]): string | undefined {
  return paths.find((path) => path !== '' && existsSync(path))
}

export type Look = Readonly<{ width: number; height?: number; scheme?: 'light' | 'dark'; media?: 'screen' | 'print' }>

export type Browser = Readonly<{
  /** Opens a page and waits until it has loaded. */
  open(url: string, look: Look): Promise<void>
  look(look: Look): Promise<void>
  /** The value of an expression in the page; throws what it throws. */
  evaluate<T>(expression: string): Promise<T>
  press(key: 'Tab' | 'Enter'): Promise<void>
  /** Errors of the console, of scripts, of the page's policy, and every request but the page's own, since it was opened. */
  complaints(): readonly string[]
  /** PNG of the whole page, or of what is in view. */
  screenshot(what?: 'page' | 'view'): Promise<Buffer>
  close(): Promise<void>
}>

type Message = Readonly<{
  id?: number
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { message: string }
}>

export async function openBrowser(path: string): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-report-browser-'))
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--hide-scrollbars']
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
  const child = spawn(
    path,
    [...flags, ...quiet, '--remote-debugging-port=0', `--user-data-dir=${folder}`, 'about:blank'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const origin = new URL(await endpointOf(child)).host
  const pages = (await (await fetch(`http://${origin}/json/list`)).json()) as {
    type: string
    webSocketDebuggerUrl: string
  }[]
  const socket = new WebSocket(pages.find(({ type }) => type === 'page')!.webSocketDebuggerUrl)
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))

  const waiting = new Map<number, (message: Message) => void>()
  let complaints: string[] = []
  let loaded = () => {}
  let next = 1
  let address = ''

  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Message
    if (message.id !== undefined) waiting.get(message.id)?.(message)
    const { method, params } = message
    if (method === 'Page.loadEventFired') loaded()
    if (method === 'Log.entryAdded' || method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params))
    if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(String(params?.['type'])))
      complaints.push(JSON.stringify(params))
    if (method === 'Network.requestWillBeSent') {
      const url = (params?.['request'] as { url: string } | undefined)?.url ?? ''
      if (url !== address && !url.startsWith('data:')) complaints.push(`asks for ${url}`)
    }
  })

  async function send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = next++
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve))
    socket.send(JSON.stringify({ id, method, params }))
    const { result, error } = await answer
    waiting.delete(id)
    if (error) throw new Error(`${method}: ${error.message}`)
    return result ?? {}
  }

  async function look({ width, height = 900, scheme = 'light', media = 'screen' }: Look): Promise<void> {
    await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 500 })
    const features = [{ name: 'prefers-color-scheme', value: scheme }]
    await send('Emulation.setEmulatedMedia', { media, features })
  }

  async function evaluate<T>(expression: string): Promise<T> {
    const answer = await send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
    const thrown = answer['exceptionDetails']
    if (thrown) throw new Error(JSON.stringify(thrown))
    return (answer['result'] as { value: T }).value
  }

  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`)
  return {
    look,
    evaluate,
    complaints: () => complaints,
    open: async (url, first) => {
      await look(first)
      complaints = []
      address = url
      const done = new Promise<void>((resolve) => {
        loaded = resolve
      })
      await send('Page.navigate', { url })
      await done
    },
    press: async (key) => {
      const code = { Tab: 9, Enter: 13 }[key]
      const about = { key, code: key, windowsVirtualKeyCode: code, ...(key === 'Enter' ? { text: '\r' } : {}) }
      await send('Input.dispatchKeyEvent', { type: 'keyDown', ...about })
      await send('Input.dispatchKeyEvent', { type: 'keyUp', key, code: key, windowsVirtualKeyCode: code })
    },
    screenshot: async (what = 'page') => {
      const answer = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: what === 'page' })
      return Buffer.from(answer['data'] as string, 'base64')
    },
    close: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      socket.close()
      child.kill('SIGKILL')
      await gone
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}

/** Chromium says on standard error where it listens. */
function endpointOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const timer = setTimeout(() => reject(new Error(`the browser did not start: ${said}`)), START_MS)
    child.stderr?.on('data', (data) => {
      said += String(data)
      const url = /DevTools listening on (\S+)/.exec(said)?.[1]
      if (url === undefined) return
      clearTimeout(timer)
      resolve(url)
    })
    child.once('exit', (status) => reject(new Error(`the browser ended with ${status}: ${said}`)))
  })
}

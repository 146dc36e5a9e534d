/** The limit that everything else is measured against: native recoveries a second, in one thread and in several at a time. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { keccak256Text } from '../protocol/keccak.ts'
import { secp256k1 } from '../signatures/secp256k1.ts'

const BURST = 256

/** Recoveries a second of all threads together, over `seconds`. */
export async function measureLimit(threads: number, seconds: number): Promise<number> {
  const rates = await Promise.all(Array.from({ length: threads }, () => measureInThread(seconds)))
  return rates.reduce((sum, rate) => sum + rate, 0)
}

function measureInThread(seconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    // A thread does not inherit tsx.
    const [tsx, main] = [import.meta.resolve('tsx/esm/api'), import.meta.url].map((one) => JSON.stringify(one))
    const boot = `import(${tsx}).then(({ register }) => { register(); return import(${main}) })`
    const worker = new Worker(boot, { eval: true })
    worker.once('message', (rate: number) => {
      resolve(rate)
      void worker.terminate()
    })
    worker.once('error', reject)
    worker.postMessage(seconds)
  })
}

function recoverFor(seconds: number): number {
  const key = keccak256Text('lifeboat bench limit')
  const signed = Array.from({ length: BURST }, (_, i) => {
    const digest = keccak256Text(`digest ${i}`)
    return { digest, ...secp256k1.ecdsaSign(digest, key) }
  })
  const burst = () => {
    for (const { digest, signature, recid } of signed) secp256k1.ecdsaRecover(signature, recid, digest, false)
  }
  burst()
  const start = performance.now()
  let count = 0
  while (performance.now() - start < seconds * 1000) {
    burst()
    count += BURST
  }
  return count / ((performance.now() - start) / 1000)
}

if (!isMainThread) parentPort?.once('message', (seconds: number) => parentPort?.postMessage(recoverFor(seconds)))

/** The deployment file that a command was told to use. */
import { readFileSync } from 'node:fs'
import { type Deployment, parseDeployment } from '../l1/deployment.ts'
import { configError } from '../protocol/errors.ts'

/** Throws DEPLOYMENT_MISSING (config), DEPLOYMENT_MALFORMED. */
export function readDeploymentFile(file: string): Deployment {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const want = '--deployment <file> as `lifeboat deploy` wrote it; for a local network start `lifeboat devnet` first'
    throw configError('DEPLOYMENT_MISSING', 'no deployment file', { got: file, want }, cause)
  }
  return parseDeployment(text)
}

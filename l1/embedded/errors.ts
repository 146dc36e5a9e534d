/**
 * Faults as JSON-RPC reports them (docs/spec.md, "L1", the embedded L1). Clients compare these texts, so the wording of
 * transaction and call faults follows go-ethereum's. They are answers to one caller, not faults of ours, and so are not
 * LifeboatErrors: `code` is the numeric JSON-RPC code, `data` what the standard attaches (revert data).
 */

export class RpcError extends Error {
  readonly code: number
  readonly data: unknown

  constructor(code: number, message: string, data?: unknown) {
    super(message)
    this.name = 'RpcError'
    this.code = code
    this.data = data
  }
}

/** -32700: the text is not JSON. */
export function parseFault(why: string): RpcError {
  return new RpcError(-32700, `parse error: ${why}`)
}

/** -32600: JSON, but no request. */
export function invalidRequest(why: string): RpcError {
  return new RpcError(-32600, `invalid request: ${why}`)
}

/** -32601 */
export function methodNotFound(method: string): RpcError {
  return new RpcError(-32601, `the method ${method} does not exist/is not available`)
}

/** -32602, naming the argument by its place. */
export function invalidParams(why: string): RpcError {
  return new RpcError(-32602, why)
}

/** -32000: the request is well formed and can't be done; `why` is the whole message. */
export function refused(why: string, data?: unknown): RpcError {
  return new RpcError(-32000, why, data)
}

/** -32005: a limit of this server. */
export function limitExceeded(why: string): RpcError {
  return new RpcError(-32005, why)
}

/** Code 3: the EVM reverted; `data` is the revert data in hexadecimal, `reason` its decoded text, if it has one. */
export function executionReverted(data: string, reason: string | undefined): RpcError {
  return new RpcError(3, reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`, data)
}

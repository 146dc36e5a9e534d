/** Decoded ABI values in the project's types: viem gives addresses in mixed case, here there is one text for one address. */
import type { AbiParameter } from 'viem'

/** The same values, addresses in lower case. `values` is what viem decoded for the parameters: an array or, by name, an object. */
export function lowerAddresses(parameters: readonly AbiParameter[], values: unknown): unknown {
  if (Array.isArray(values)) return values.map((value, i) => lowerValue(parameters[i], value))
  if (typeof values !== 'object' || values === null) return values
  const typeOf = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, lowerValue(typeOf.get(name), value)]))
}

function lowerValue(parameter: AbiParameter | undefined, value: unknown): unknown {
  if (!parameter) return value
  // An indexed array or tuple comes as the hash of its value, whatever its type says.
  if (typeof value === 'string') return parameter.type === 'address' ? value.toLowerCase() : value
  const element = /^(.*)\[\d*\]$/.exec(parameter.type)?.[1]
  if (element !== undefined && Array.isArray(value)) {
    return value.map((part) => lowerValue({ ...parameter, type: element }, part))
  }
  return 'components' in parameter ? lowerAddresses(parameter.components, value) : value
}

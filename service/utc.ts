/** "2026-11-21 12:00:00 UTC" of seconds since 1970; the bare number where no calendar has it. */
export function formatUtc(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `${seconds}` : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

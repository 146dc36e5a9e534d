/** What the tests look at in JSON answers: the fields that the route under test has. */
export type Answer = Readonly<{
  error: Readonly<{ code: string; message: string }>
  outputs: readonly Readonly<{ amount: string }>[]
  nextCursor: number
  acknowledgedBy: string
  paths: object
  alerts: readonly Readonly<{ code: string }>[]
  exits: readonly Readonly<{ output: string }>[]
  summary: readonly string[]
}>

export async function readAnswer(response: Response): Promise<Answer> {
  return (await response.json()) as Answer
}

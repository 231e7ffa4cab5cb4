/** Thrown when the program, not the world, is wrong. */
export class AssertionFault extends Error {
  override readonly name = 'AssertionFault'
}

/** Throws an AssertionFault that says `why` unless the condition holds. */
export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) throw new AssertionFault(why)
}

/** Ends a `switch` over a union: a new member that nobody handles does not compile. */
export function unreachable(value: never): never {
  throw new AssertionFault(`unreachable: ${JSON.stringify(value)}`)
}

/** A source of randomness: a number from 0 up to, not including, 1. Tests give their own. */
export type Random = () => number

/** For jitter and tie-breaks; not for secrets. */
export const systemRandom: Random = () => Math.random()

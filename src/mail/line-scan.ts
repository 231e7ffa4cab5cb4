// The usual case of lines.ts, sixteen octets at a time: content in which every line ends with CRLF
// (RFC 5321 §2.3.8) and nothing is forbidden. Whatever else it meets it does not judge: then lines.ts
// looks itself, octet by octet.

import {
  add,
  and,
  assemble,
  type Code,
  equalOctets,
  highBits,
  i32,
  isEqual,
  isLess,
  isZero,
  type Local,
  leastOctets,
  loadOctet,
  loadVector,
  locals,
  loopWhile,
  noOctetIsZero,
  octetsAtMost,
  or,
  orOctets,
  set,
  shiftLeft,
  shiftRight,
  splat,
  store,
  sub,
  trailingZeros,
  when,
  xor,
} from '../std/wasm.ts'

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const DOT = 46

/** Where the octets lie in the scan's memory; its results lie before them. */
const START = 64
const PAGES = 2
const LONGEST_CHUNK = PAGES * 65_536 - START - 16
/** Stands after the octets: nothing that means anything. */
const FILLER = 120

/** Places of the results, by numbers of 32 bits. */
const FAULT = 0
const HIGH = 1
const NO_NUL = 2
const DOTTED = 3
const LONGEST = 4
const LINE = 5
const UNTIDY_FROM = 6
const UNTIDY_TO = 7

/** What a scan found in a chunk. */
type Scanned = {
  eightBit: boolean
  /** A line begins with a dot; of the first one nothing is said. */
  dotted: boolean
  /** Octets of the longest line that ends here, without its CRLF; 0 when none does. */
  longest: number
  /** Octets of the line that is open at the end. */
  open: number
  /** As lines.ts has it; both are 0 when there is none. */
  untidyFrom: number
  untidyTo: number
}

/**
 * Looks at a chunk that begins inside a line of which `open` octets have come, or at a line's start.
 * Undefined when it must be looked at octet by octet. The result is overwritten by the next call.
 */
export type LineScan = (chunk: Uint8Array, open: number) => Scanned | undefined

/** Makes a scan; undefined where the machine has no vectors for us. One serves the whole process. */
export function createLineScan(): LineScan | undefined {
  const { variables, body } = writeProgram()
  const made = assemble(variables, body, { parameters: 3, pages: PAGES })
  if (!made) return undefined
  const octets = new Uint8Array(made.memory)
  const results = new Int32Array(made.memory, 0, 8)
  const found: Scanned = {
    eightBit: false,
    dotted: false,
    longest: 0,
    open: 0,
    untidyFrom: 0,
    untidyTo: 0,
  }
  return (chunk, open) => {
    const { length } = chunk
    if (length > LONGEST_CHUNK) return undefined
    const end = START + length
    octets.set(chunk, START)
    octets.fill(FILLER, end, end + 16)
    made.run(START, end, START - open)
    if (results[FAULT] !== 0 || results[NO_NUL] === 0) return undefined
    found.eightBit = results[HIGH] !== 0
    found.dotted = results[DOTTED] !== 0
    found.longest = Math.max(0, results[LONGEST]! - 1)
    found.open = end - results[LINE]!
    const endsInSpace = chunk[length - 1] === SPACE
    const none = results[UNTIDY_TO] === 0
    found.untidyFrom = none
      ? endsInSpace
        ? length - 1
        : 0
      : Math.max(0, results[UNTIDY_FROM]! - START)
    found.untidyTo = endsInSpace ? length : none ? 0 : Math.min(length, results[UNTIDY_TO]! - START)
    return found
  }
}

/** The variables, parameters first, and what is done with them. */
function writeProgram(): {
  readonly variables: Readonly<Record<string, Local>>
  readonly body: Code
} {
  const variables = locals({
    at: 'i32',
    end: 'i32',
    line: 'i32',
    octets: 'v128',
    every: 'v128',
    least: 'v128',
    blanks: 'i32',
    crs: 'i32',
    lfs: 'i32',
    spaces: 'i32',
    odd: 'i32',
    afterCr: 'i32',
    afterSpace: 'i32',
    fault: 'i32',
    dotted: 'i32',
    longest: 'i32',
    place: 'i32',
    untidyFrom: 'i32',
    untidyTo: 'i32',
  })
  const { at, end, line, octets, every, least, blanks, crs, lfs, spaces, odd } = variables
  const { afterCr, afterSpace, fault, dotted, longest, place, untidyFrom, untidyTo } = variables
  const ones = (octet: number) => highBits(equalOctets(octets, splat(octet)))
  const one = i32(1)
  /** The bits of these octets moved to the octet that follows, with the last one of the sixteen before. */
  const following = (bits: Local, carried: Local) => or(shiftLeft(bits, one), carried)
  const body = [
    set(least, splat(-1)),
    loopWhile(
      isLess(at, end),
      set(octets, loadVector(at)),
      set(every, orOctets(every, octets)),
      set(least, leastOctets(least, octets)),
      set(blanks, highBits(octetsAtMost(octets, splat(SPACE)))),
      when(
        or(blanks, or(afterCr, afterSpace)),
        set(crs, ones(CR)),
        set(lfs, ones(LF)),
        // A fault is an LF that follows no CR, or something else that does.
        set(fault, or(fault, and(xor(following(crs, afterCr), lfs), i32(0xffff)))),
        set(afterCr, shiftRight(crs, i32(15))),
        set(spaces, xor(blanks, or(crs, lfs))),
        set(odd, or(and(following(spaces, afterSpace), blanks), ones(TAB))),
        set(afterSpace, shiftRight(spaces, i32(15))),
        when(
          odd,
          when(isZero(untidyTo), set(untidyFrom, sub(at, one))),
          set(untidyTo, add(at, i32(16))),
        ),
        loopWhile(
          isZero(isZero(lfs)),
          set(place, add(at, trailingZeros(lfs))),
          when(isLess(longest, sub(place, line)), set(longest, sub(place, line))),
          set(line, add(place, one)),
          set(dotted, or(dotted, isEqual(loadOctet(line), i32(DOT)))),
          set(lfs, and(lfs, sub(lfs, one))),
        ),
      ),
      set(at, add(at, i32(16))),
    ),
    store(4 * FAULT, or(fault, afterCr)),
    store(4 * HIGH, highBits(every)),
    store(4 * NO_NUL, noOctetIsZero(least)),
    store(4 * DOTTED, dotted),
    store(4 * LONGEST, longest),
    store(4 * LINE, line),
    store(4 * UNTIDY_FROM, untidyFrom),
    store(4 * UNTIDY_TO, untidyTo),
  ].flat()
  return { variables, body }
}

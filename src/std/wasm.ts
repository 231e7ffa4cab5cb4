// A little of WebAssembly, enough to write a function in its vector instructions, which JavaScript
// has no word for: sixteen octets at a time. Code is written as nested calls, `set(at, add(at, i32(16)))`,
// and becomes a module of a few hundred octets; it can touch nothing but its own memory.
// Opcodes: WebAssembly Core Specification 2.0, §5.4 and §5.5.

/** Instructions, encoded; most leave one value. */
export type Code = readonly number[]

/** A variable of the function; as code it is its value. */
export type Local = { readonly index: number; readonly type: 'i32' | 'v128'; readonly get: Code }

type Value = Code | Local

const TYPES = { i32: 0x7f, v128: 0x7b } as const
const NOTHING = 0x40

/** Variables with indices from 0 on; those that come first are the parameters. */
export function locals<Name extends string>(
  types: Readonly<Record<Name, Local['type']>>,
): Readonly<Record<Name, Local>> {
  const names = Object.keys(types) as Name[]
  const made = names.map((name, index) => [name, { index, type: types[name], get: [0x20, index] }])
  return Object.fromEntries(made) as Record<Name, Local>
}

const code = (value: Value): Code => ('get' in value ? value.get : value)
const unary = (opcode: Code) => (a: Value) => [...code(a), ...opcode]
const binary = (opcode: Code) => (a: Value, b: Value) => [...code(a), ...code(b), ...opcode]
const vector = (opcode: number, ...rest: Code): Code => [0xfd, ...unsigned(opcode), ...rest]

export const i32 = (value: number): Code => [0x41, ...signed(value)]
export const add = binary([0x6a])
export const sub = binary([0x6b])
export const and = binary([0x71])
export const or = binary([0x72])
export const xor = binary([0x73])
export const shiftLeft = binary([0x74])
export const shiftRight = binary([0x76])
export const trailingZeros = unary([0x68])
export const isZero = unary([0x45])
export const isEqual = binary([0x46])
export const isLess = binary([0x48])
export const loadOctet = unary([0x2d, 0, 0])

/** Sixteen octets from an address. */
export const loadVector = unary(vector(0, 0, 0))
/** Sixteen times the same octet. */
export const splat = (octet: number): Code => [...i32(octet), ...vector(15)]
export const equalOctets = binary(vector(35))
/** Unsigned. */
export const octetsAtMost = binary(vector(42))
export const orOctets = binary(vector(80))
export const leastOctets = binary(vector(119))
export const noOctetIsZero = unary(vector(99))
/** The high bits of the sixteen octets, the first in the lowest bit. */
export const highBits = unary(vector(100))

export const set = ({ index }: Local, value: Value): Code => [...code(value), 0x21, index]
export const when = (condition: Value, ...body: Code[]): Code => [
  ...code(condition),
  ...[0x04, NOTHING, ...body.flat(), 0x0b],
]
export const loopWhile = (condition: Value, ...body: Code[]): Code => [
  ...[0x02, NOTHING, 0x03, NOTHING],
  ...isZero(condition),
  ...[0x0d, 1, ...body.flat(), 0x0c, 0, 0x0b, 0x0b],
]
/** Writes a number at a fixed address, a multiple of 4. */
export const store = (address: number, value: Value): Code => [
  ...i32(0),
  ...code(value),
  ...[0x36, 2, ...unsigned(address)],
]

declare const WebAssembly:
  | undefined
  | {
      readonly Module: new (octets: Uint8Array) => object
      readonly Instance: new (
        module: object,
      ) => {
        readonly exports: {
          readonly run: (...parameters: number[]) => void
          readonly memory: { readonly buffer: ArrayBuffer }
        }
      }
    }

/**
 * Makes a function of `body` with memory of `pages` of 64 KiB. Undefined where this process has no
 * WebAssembly (`--jitless`) or no address space for it.
 * @param variables all of them, the parameters (of type i32) first
 */
export function assemble(
  variables: Readonly<Record<string, Local>>,
  body: Code,
  { parameters, pages }: { readonly parameters: number; readonly pages: number },
): { readonly run: (...parameters: number[]) => void; readonly memory: ArrayBuffer } | undefined {
  if (typeof WebAssembly === 'undefined') return undefined
  const others = Object.values(variables).slice(parameters)
  const declared = others.flatMap(({ type }) => [1, TYPES[type]])
  const whole = [others.length, ...declared, ...body, 0x0b]
  const octets = Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, parameters, ...new Array<number>(parameters).fill(TYPES.i32), 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, pages]),
    ...section(7, [2, ...name('run'), 0, 0, ...name('memory'), 2, 0]),
    ...section(10, [1, ...unsigned(whole.length), ...whole]),
  ])
  try {
    const { run, memory } = new WebAssembly.Instance(new WebAssembly.Module(octets)).exports
    return { run, memory: memory.buffer }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content]
}

function name(text: string): Code {
  return [text.length, ...Buffer.from(text)]
}

/** LEB128 (§5.2.2). */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): Code {
  const low = value & 0x7f
  const rest = value >> 7
  const done = low & 0x40 ? rest === -1 : rest === 0
  return done ? [low] : [low | 0x80, ...signed(rest)]
}

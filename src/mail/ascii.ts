// Words of the protocol are ASCII and their case says nothing (RFC 5321 §2.4).

const NOT_ASCII = /[^\u0000-\u007f]/

/**
 * The word in capitals. What is not ASCII stays as it is: String.toUpperCase makes S of ſ and I of ı,
 * and so a command of a line that other servers take for none.
 */
export function upperCase(word: string): string {
  return NOT_ASCII.test(word) ? word : word.toUpperCase()
}

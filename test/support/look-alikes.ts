// What looks like the end of data and is not (CVE-2023-51764 and its kin): no server may take it for
// one, and none of it may leave us.

export const LOOK_ALIKES: readonly string[] = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r\n.\r',
  '\r.\r\n',
  '\n.\r',
  '\r.\n',
  '\r\r\n.\r\r\n',
  '\r\n.\r\r\n',
  '\r\n.\n\r\n',
  '\n\r\n.\n\r\n',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\r\0\n.\r\n',
]

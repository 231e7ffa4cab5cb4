// openReceiver as a process: prints a line of JSON for each message. Its port is the only argument.

import { openReceiver } from './receiver.ts'

const receiver = await openReceiver({ port: Number(process.argv[2]) })
let told = 0
setInterval(() => {
  for (; told < receiver.taken.length; told++)
    process.stdout.write(`${JSON.stringify(receiver.taken[told])}\n`)
}, 20)
process.stdout.write('{}\n')

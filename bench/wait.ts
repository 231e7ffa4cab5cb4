import { connect } from 'node:net'

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Resolves when the port greets; throws after `seconds`. */
export async function greeted(port: number, seconds = 30): Promise<void> {
  for (let tries = seconds * 20; tries > 0; tries--) {
    if (await greets(port)) return
    await sleep(50)
  }
  throw new Error(`nothing greets on port ${port}`)
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1000, () => done(false))
    socket.on('error', () => done(false))
    socket.on('data', (data) => done(data.toString().startsWith('220')))
  })
}

/** Ends a process that we started: politely, then after `graceMs` by force. */
export async function end(
  child: import('node:child_process').ChildProcess,
  graceMs = 30_000,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await exited
  clearTimeout(timer)
}

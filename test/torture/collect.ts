// Lets a process that was started with --inspect collect its garbage, so that what is left can be seen.

type Target = { readonly webSocketDebuggerUrl: string }

/** Resolves when the collection is over. */
export async function collectGarbage(inspectPort: number): Promise<void> {
  const targets = (await (await fetch(`http://127.0.0.1:${inspectPort}/json`)).json()) as Target[]
  const socket = new WebSocket(targets[0]!.webSocketDebuggerUrl)
  try {
    await new Promise((resolve, reject) => {
      socket.onopen = resolve
      socket.onerror = () => reject(new Error('the inspector does not answer'))
    })
    for (const [i, method] of ['HeapProfiler.enable', 'HeapProfiler.collectGarbage'].entries()) {
      const answered = new Promise((resolve) => {
        socket.onmessage = ({ data }) => JSON.parse(data as string).id === i && resolve(data)
      })
      socket.send(JSON.stringify({ id: i, method }))
      await answered
    }
  } finally {
    socket.close()
  }
}

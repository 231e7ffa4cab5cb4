import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { MOST_WAITING, PER_TURN, WaitingRoom } from './waiting-room.ts'

/** Who got a session and who heard 421, by number of arrival; `isWelcome` is asked when a turn comes. */
function open(isWelcome: (number: number) => boolean = () => true) {
  const begun: number[] = []
  const refused: number[] = []
  const numbers = new Map<Socket, number>()
  const room = new WaitingRoom(
    (socket) => {
      const number = numbers.get(socket)!
      if (isWelcome(number)) begun.push(number)
      else refused.push(number)
      return isWelcome(number)
    },
    (socket) => void refused.push(numbers.get(socket)!),
  )
  const arrive = (count: number): Socket[] =>
    Array.from({ length: count }, () => {
      const socket = new Socket()
      Object.defineProperty(socket, 'remoteAddress', { value: '127.0.0.1' })
      numbers.set(socket, numbers.size)
      room.enter(socket)
      return socket
    })
  return { room, begun, refused, arrive }
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

test('who comes alone waits for nobody; of a crowd so many begin in a turn, in their order', async () => {
  const { begun, arrive } = open()
  arrive(2)
  assert.deepEqual(begun, upTo(2))
  arrive(2 * PER_TURN + 1)
  assert.deepEqual(begun, upTo(PER_TURN))
  await turn()
  assert.deepEqual(begun, upTo(2 * PER_TURN))
  arrive(1)
  await turn()
  assert.deepEqual(begun, upTo(2 * PER_TURN + 4))
  await turn()
  arrive(1)
  assert.equal(begun.length, 2 * PER_TURN + 5, 'and then nobody waits again')
})

test('who finds the room full is refused at once', async () => {
  const { room, begun, refused, arrive } = open()
  arrive(PER_TURN + MOST_WAITING + 2)
  assert.equal(room.size, MOST_WAITING)
  assert.deepEqual(refused, [PER_TURN + MOST_WAITING, PER_TURN + MOST_WAITING + 1])
  await turn()
  arrive(PER_TURN)
  assert.equal(refused.length, 2)
  assert.equal(begun.length, 2 * PER_TURN)
})

test('who has gone meanwhile, or is sent away, takes nobody’s turn', async () => {
  const { begun, refused, arrive } = open((number) => number < PER_TURN || number >= 30)
  const sockets = arrive(40)
  for (const socket of sockets.slice(PER_TURN, 20)) socket.destroy(new Error('gone'))
  await turn()
  assert.deepEqual(begun, [...upTo(PER_TURN), ...upTo(40).slice(30, 30 + PER_TURN)])
  assert.deepEqual(refused, upTo(30).slice(20))
})

test('a server that ends leaves nobody waiting', () => {
  const { room, begun, arrive } = open()
  arrive(5 * PER_TURN)
  const sent: Socket[] = []
  room.empty((socket) => void sent.push(socket))
  assert.deepEqual([begun.length, sent.length, room.size], [PER_TURN, 4 * PER_TURN, 0])
})

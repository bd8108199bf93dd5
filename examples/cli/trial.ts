/** A backend for trying things out, for as long as the program runs. Nobody gets its mail: the codes are printed. */
import { Console, Effect, Stream } from "effect"
import type { ClientOptions } from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"

export const options = Effect.gen(function* () {
  const emulator = yield* Emulator.makeServer()
  let read = 0
  yield* emulator.changes.pipe(
    Stream.mapEffect(() => emulator.outbox),
    Stream.runForEach((outbox) => {
      const arrived = outbox.slice(read)
      read = outbox.length
      return Effect.forEach(arrived, ({ code, to }) => Console.log(`(mail to ${to}: your code is ${code})`))
    }),
    Effect.forkScoped
  )
  const options: ClientOptions.ClientOptions = { url: emulator.url, appToken: emulator.appToken }
  return options
})

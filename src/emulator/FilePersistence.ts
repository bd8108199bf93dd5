/**
 * Keeps the rows of an emulator in one file: a journal of lines that only grows at its end, synchronised to the disk
 * before an answer leaves. Node, Bun and Deno only.
 *
 * Why a journal and not SQLite: it needs nothing that Node 20 lacks (`node:sqlite` is absent there and experimental in
 * 22) and no package, writes do not block the event loop, and writes that arrive together share one synchronisation.
 *
 * Each line is a CRC-32 and a batch of changes as JSON. A process or machine that dies in the middle of a write leaves
 * a line that does not check: it was never answered, and is cut off at the next start. A damaged line before others
 * is an error, never skipped. Now and then the file is rewritten with the live rows alone, beside itself and renamed.
 *
 * @since 0.1.0
 */
import { Buffer } from "node:buffer"
import * as fs from "node:fs"
import * as fsp from "node:fs/promises"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { crc32 } from "./internal/crc32.ts"
import { lockFile } from "./internal/fileLock.ts"
import { reasonOf } from "./internal/fileReason.ts"
import { type Persistence, PersistenceError } from "./Persistence.ts"
import { type Change, Snapshot, type TableName, tables } from "./Snapshot.ts"

// -----------------------------------------------------------------------------
// The format
// -----------------------------------------------------------------------------

const header = "effect-oneentry emulator data 1\n"

const isTable = (name: string): name is TableName => Object.hasOwn(tables, name)

/** A change as it stands in the file: `null` for a row that is gone. */
const Written = Schema.fromJsonString(Schema.Array(Schema.Tuple([Schema.String, Schema.String, Schema.Json])))
const decodeWritten = Schema.decodeUnknownSync(Written)

const names = Object.keys(tables).filter(isTable)
const codecs = new Map(
  names.map((name) => {
    const codec = Schema.toCodecJson<Schema.Codec<unknown, unknown>>(tables[name])
    return [name, { encode: Schema.encodeUnknownSync(codec), decode: Schema.decodeUnknownSync(codec) }] as const
  })
)

const encodeLine = (changes: ReadonlyArray<Change>): Buffer => {
  const json = JSON.stringify(
    changes.map(({ key, row, table }) => [table, key, row === undefined ? null : codecs.get(table)?.encode(row)])
  )
  const bytes = Buffer.from(`00000000 ${json}\n`)
  bytes.write(crc32(bytes.subarray(9, -1)).toString(16).padStart(8, "0"), 0, "latin1")
  return bytes
}

/** The changes of a line, or `undefined` when it does not check. */
const decodeLine = (line: Buffer): ReadonlyArray<Change> | undefined => {
  if (line.length < 10 || line[8] !== 0x20) return undefined
  const body = line.subarray(9)
  if (line.toString("latin1", 0, 8) !== crc32(body).toString(16).padStart(8, "0")) return undefined
  return decodeWritten(body.toString("utf8")).map(([table, key, row]) => {
    if (!isTable(table)) throw new Error(`there is no table "${table}"`)
    return { table, key, row: row === null ? undefined : codecs.get(table)?.decode(row) }
  })
}

type Rows = ReadonlyMap<TableName, Map<string, unknown>>

const apply = (rows: Rows, changes: ReadonlyArray<Change>) => {
  for (const { key, row, table } of changes) {
    if (row === undefined) rows.get(table)?.delete(key)
    else rows.get(table)?.set(key, row)
  }
}

class Damaged extends Error {}

/** Replays a file into `rows`; gives the length up to which it is good. */
const replay = (file: string, content: Buffer, rows: Rows): number => {
  const start = content.subarray(0, header.length).toString("latin1")
  if (start !== header) {
    if (content.length < header.length && header.startsWith(start)) return 0
    throw new Damaged(`${file} is no data file of the emulator; choose another name`)
  }
  let good = header.length
  let line = 1
  let position = good
  let bad: number | undefined
  while (position < content.length) {
    line++
    const end = content.indexOf(0x0a, position)
    const stop = end === -1 ? content.length : end
    const changes = end === -1 ? undefined : decodeLine(content.subarray(position, stop))
    position = stop + 1
    if (changes === undefined) {
      bad ??= line
      continue
    }
    if (bad !== undefined) {
      throw new Damaged(
        `${file} is damaged at line ${bad}, and what follows is whole: it was changed by something else. ` +
          "Restore it from a copy, or move it away to begin anew"
      )
    }
    apply(rows, changes)
    good = position
  }
  return good
}

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * How the file is kept.
 *
 * @example
 * ```ts
 * import type * as FilePersistence from "effect-oneentry/emulator/FilePersistence"
 *
 * const options: FilePersistence.Options = { file: "emulator.data", durability: "system" }
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Where it is; made when it does not exist, in a folder that does. */
  readonly file: string
  /**
   * `disk` (the default) waits until the disk has it, so that nothing is lost when the machine fails; `system` hands
   * it to the operating system, which is enough when only the process dies.
   */
  readonly durability?: "disk" | "system" | undefined
  /** Bytes that a file may grow to before it is rewritten with the live rows alone; 8 MiB when absent. */
  readonly compactAbove?: number | undefined
}

// -----------------------------------------------------------------------------
// Make
// -----------------------------------------------------------------------------

const attempt = <A>(operation: "load" | "append", what: string, f: () => Promise<A>) =>
  Effect.tryPromise({
    try: f,
    catch: (cause) =>
      new PersistenceError({
        operation,
        description: cause instanceof Damaged ? cause.message : `${what}: ${reasonOf(cause)}`,
        cause
      })
  })

const syncFolder = async (file: string) => {
  // Not every system lets a folder be synchronised; the file itself is.
  const folder = await fsp.open(path.dirname(file), "r").catch(() => undefined)
  if (folder === undefined) return
  await folder.sync().catch(() => undefined)
  await folder.close()
}

/**
 * Opens the file, and holds it until the scope closes: a second emulator on the same file fails. What is lost when the
 * process is killed is nothing that was answered.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 * import * as FilePersistence from "effect-oneentry/emulator/FilePersistence"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const persistence = yield* FilePersistence.make({ file: "emulator.data" })
 *   const emulator = yield* Emulator.makeServer({ persistence })
 *   return yield* emulator.users
 * }))
 *
 * Effect.runPromise(program)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Persistence, PersistenceError, Scope.Scope> {
  const file = path.resolve(options.file)
  const toDisk = options.durability !== "system"
  const compactAbove = options.compactAbove ?? 8 * 1024 * 1024
  const rows: Rows = new Map(names.map((name) => [name, new Map<string, unknown>()]))
  let size = 0
  let compacted = 0
  /** Whether bytes past `size` may be there, of a write that failed. */
  let ragged = false

  yield* Effect.acquireRelease(
    attempt("load", `${file} cannot be used`, async () => lockFile(`${file}.lock`)),
    (unlock) => Effect.sync(unlock)
  )
  const current = yield* Effect.acquireRelease(
    attempt("load", `${file} cannot be opened`, async () => {
      // A pipe would be read for ever.
      const found = await fsp.stat(file).catch(() => undefined)
      if (found !== undefined && !found.isFile() && !found.isDirectory()) {
        throw new Error("it is a pipe or a device; choose a file")
      }
      return { handle: await fsp.open(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600) }
    }),
    ({ handle }) => Effect.promise(() => handle.close().catch(() => undefined))
  )

  const sync = (handle: fsp.FileHandle) => (toDisk ? handle.datasync() : Promise.resolve())

  const writeAt = async (handle: fsp.FileHandle, bytes: Buffer, position: number) => {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
      done += bytesWritten
    }
  }

  /** Writes the live rows beside the file and puts them in its place. */
  const compact = async () => {
    const beside = `${file}.new`
    const handle = await fsp.open(beside, "w", 0o600)
    let position = 0
    try {
      const write = async (bytes: Buffer) => {
        await writeAt(handle, bytes, position)
        position += bytes.length
      }
      await write(Buffer.from(header))
      for (const [table, kept] of rows) {
        let batch: Array<Change> = []
        for (const [key, row] of kept) {
          batch.push({ table, key, row })
          if (batch.length < 256) continue
          await write(encodeLine(batch))
          batch = []
        }
        if (batch.length > 0) await write(encodeLine(batch))
      }
      await sync(handle)
      await fsp.rename(beside, file)
    } catch (cause) {
      await handle.close()
      await fsp.rm(beside, { force: true })
      throw cause
    }
    const before = current.handle
    current.handle = handle
    size = compacted = position
    ragged = false
    await before.close()
    await syncFolder(file)
  }

  yield* attempt("load", `${file} cannot be read`, async () => {
    const content = await fsp.readFile(file)
    size = compacted = replay(file, content, rows)
    if (size < content.length) await current.handle.truncate(size)
    if (size === 0) {
      await writeAt(current.handle, Buffer.from(header), 0)
      size = compacted = header.length
    }
    await current.handle.sync()
    await syncFolder(file)
    if (size > compactAbove) await compact()
  })

  return {
    load: Effect.suspend(() => {
      const none: Snapshot | undefined = undefined
      if ([...rows.values()].every((table) => table.size === 0)) return Effect.succeed(none)
      return Effect.mapError(
        decodeSnapshot(Object.fromEntries([...rows].map(([name, table]) => [name, [...table.values()]]))),
        (cause) =>
          new PersistenceError({
            operation: "load",
            description: `${file} does not fit together: ${cause.message}`,
            cause
          })
      )
    }),
    append: (changes) =>
      attempt("append", `${file} cannot be written`, async () => {
        if (ragged) {
          await current.handle.truncate(size)
          ragged = false
        }
        const bytes = encodeLine(changes)
        try {
          await writeAt(current.handle, bytes, size)
          await sync(current.handle)
        } catch (cause) {
          ragged = true
          throw cause
        }
        size += bytes.length
        apply(rows, changes)
        // A rewrite that fails leaves the journal as it is, and is tried again when it has grown further.
        if (size > compactAbove && size > 4 * compacted) {
          await compact().catch(() => {
            compacted = size
          })
        }
      })
  }
})

const decodeSnapshot = Schema.decodeUnknownEffect(Schema.toType(Snapshot))

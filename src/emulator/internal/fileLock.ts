/** A lock file that names the process that holds it, so that one that was killed holds nothing. */
import process from "node:process"
import * as fs from "node:fs"

/** What this process holds; its own pid in a lock file says nothing after a restart in a container. */
const held = new Set<string>()

const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined

/** When a process began, where the system tells: a process number is used again, both together are not. */
const startOf = (pid: number): string => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  } catch {
    return ""
  }
}

const isAlive = (pid: number, start: string): boolean => {
  try {
    process.kill(pid, 0)
  } catch (cause) {
    if (codeOf(cause) === "ESRCH") return false
  }
  return start === "" || startOf(pid) === start
}

/** Takes the lock, or throws an error that says who holds it. Gives what releases it. */
export const lockFile = (file: string): (() => void) => {
  if (held.has(file)) throw new Error("another emulator of this process uses it")
  const own = `${process.pid} ${startOf(process.pid)}\n`
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      // Linked, so that the file is never there without its content.
      const mine = `${file}.${process.pid}`
      fs.writeFileSync(mine, own, { mode: 0o600 })
      try {
        fs.linkSync(mine, file)
      } finally {
        fs.rmSync(mine, { force: true })
      }
      held.add(file)
      return () => {
        held.delete(file)
        fs.rmSync(file, { force: true })
      }
    } catch (cause) {
      if (codeOf(cause) !== "EEXIST") throw cause
    }
    const [pid = "", start = ""] = read(file).trim().split(" ")
    if (/^\d+$/.test(pid) && Number(pid) !== process.pid && isAlive(Number(pid), start)) {
      throw new Error(`the emulator of process ${pid} uses it (if there is none, remove ${file})`)
    }
    fs.rmSync(file, { force: true })
  }
  throw new Error(`${file} cannot be taken`)
}

const read = (file: string): string => {
  try {
    return fs.readFileSync(file, "utf8")
  } catch {
    return ""
  }
}

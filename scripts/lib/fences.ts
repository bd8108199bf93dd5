/**
 * Finds the code fences of Markdown pages and of docstrings.
 */
import { parseSync } from "oxc-parser"

export interface Fence {
  /** The file it stands in, relative to the package. */
  readonly file: string
  /** The line of its first line of code, from 1. */
  readonly line: number
  /** The first word after the backticks: `ts`, `sh`. */
  readonly language: string
  /** The words after the language: `no-run`. */
  readonly marks: ReadonlyArray<string>
  readonly code: string
}

/** Whether a mark names a file that a reader is to save the code as. */
export const isFileName = (mark: string): boolean => /^[\w.-]+\.\w+$/.test(mark)

const opening = /^(\s*)(`{3,})\s*([^`]*)$/

const scan = (file: string, lines: ReadonlyArray<string>, firstLine: number): ReadonlyArray<Fence> => {
  const fences: Array<Fence> = []
  for (let index = 0; index < lines.length; index++) {
    const match = opening.exec(lines[index] ?? "")
    if (match === null) continue
    const [, indent = "", ticks = "", info = ""] = match
    const closing = new RegExp(`^\\s*\`{${ticks.length},}\\s*$`)
    const start = index + 1
    let end = start
    while (end < lines.length && !closing.test(lines[end] ?? "")) end++
    const code = lines
      .slice(start, end)
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()))
    const [language = "", ...marks] = info.trim().split(/\s+/)
    fences.push({ file, line: firstLine + start, language, marks, code: code.join("\n") + "\n" })
    index = end
  }
  return fences
}

export const fencesOfMarkdown = (file: string, text: string): ReadonlyArray<Fence> => scan(file, text.split("\n"), 1)

/** The fences of every `/** … *\/` comment of a TypeScript file. */
export const fencesOfDocstrings = (file: string, text: string): ReadonlyArray<Fence> =>
  parseSync(file, text)
    .comments.filter((comment) => comment.type === "Block" && comment.value.startsWith("*"))
    .flatMap((comment) => {
      const lines = comment.value.split("\n").map((line) => line.replace(/^\s*\* ?/, ""))
      return scan(file, lines, text.slice(0, comment.start).split("\n").length)
    })

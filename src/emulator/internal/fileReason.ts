/** Why a file cannot be used, in words for people. */
export const reasonOf = (cause: unknown): string => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  switch (code) {
    case "ENOENT":
      return "there is no such file or folder"
    case "EACCES":
    case "EPERM":
      return "permission denied"
    case "ENOTDIR":
      return "a part of its path is no folder"
    case "EISDIR":
      return "it is a folder"
    case "EEXIST":
      return "it exists already"
    default:
      return cause instanceof Error ? cause.message : String(cause)
  }
}

/**
 * What a bundle may weigh, in KiB, gzipped, by esbuild, `effect` included.
 *
 * `goal` is where it should get to, `budget` what fails the run: a little above where it is, so that nothing grows unseen.
 * Lower a budget whenever a figure has come down.
 */
export interface Entry {
  readonly file: string
  readonly what: string
  readonly budget?: number
  readonly goal?: number
  /** Not what rollup can bundle without a plugin. */
  readonly commonJs?: true
  /** No module of these may be in the bundle. */
  readonly without?: RegExp
}

export const entries: ReadonlyArray<Entry> = [
  { file: "sign-in", what: "a sign-in app, by subpaths", goal: 45, budget: 66, without: /^effect\/http\// },
  { file: "root", what: "everything through the root", goal: 60, budget: 107.4 },
  { file: "promise", what: "the Promise facade", goal: 60, budget: 74.8, without: /^effect\/http\// },
  {
    file: "forms",
    what: "reading a form (no session)",
    budget: 48,
    without:
      /^effect\/http\/|^effect-oneentry\/(Session|Sessions|AuthProvider|Users|OAuth|TokenStorage|internal\/(slot|refresh|stored|jwt|cooldown))/
  },
  { file: "floor", what: "one layer, one schema, one error and one retry that do nothing: the floor under the first" },
  { file: "application", what: "an application on Effect, without this package" },
  { file: "application-signed-in", what: "the same with the thirteen operations and the session" },
  {
    file: "official",
    what: "the official SDK, without the shims it needs (CommonJS, which rollup does not read by itself)",
    commonJs: true
  },
  { file: "supabase", what: "@supabase/auth-js" }
]

/** What `application-signed-in` may weigh beyond `application`. */
export const added = { goal: 15, budget: 30.5 }

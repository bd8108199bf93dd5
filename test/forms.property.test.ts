import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import { HttpClientRequest } from "effect/http"
import {
  AuthProvider,
  FieldValue,
  FileUploading,
  Forms,
  FormSchema,
  FormsData,
  OneEntryClient,
  SignUpForm,
  Users
} from "effect-oneentry"
import { Emulator, type Project } from "effect-oneentry/emulator"
import { project as content, sentBy } from "./helpers/content.ts"
import { inProcess, register, signIn } from "./helpers/scenario.ts"

// What the client's checks let through must pass the emulator, and what the emulator refuses of a field they must have
// refused of that field. `SEED=…` repeats a run, `CASE=…` one case of it.

const seed =
  process.env["SEED"] === undefined
    ? (globalThis.crypto.getRandomValues(new Uint32Array(1))[0] ?? 0)
    : Number(process.env["SEED"])
const only = process.env["CASE"] === undefined ? undefined : Number(process.env["CASE"])

const formsPerKind = 400
const valuesPerForm = 2

// -- chance -----------------------------------------------------------------------------------------------------------

/** mulberry32 */
const generator = (from: number) => {
  let state = from
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

let random = generator(seed)
const below = (n: number) => Math.floor(random() * n)
const chance = (p: number) => random() < p
const pick = <A>(items: ReadonlyArray<A>): A => {
  const item = items[below(items.length)]
  return item === undefined && items.length === 0 ? assert.fail("nothing to pick from") : (item as A)
}
const some = <A>(items: ReadonlyArray<A>, p: number): ReadonlyArray<A> => items.filter(() => chance(p))

// -- validators -------------------------------------------------------------------------------------------------------

type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }
type Payload = boolean | { readonly [key: string]: Json }

/** A number as the wire writes it: as itself, as a string, or unset in one of the ways to say so. */
const loose = (n: number): Json => pick<Json>([n, n, String(n), String(n), ` ${n} `, 0, "0", "", null, -n])
const keyed = (key: string, value: Json) => (chance(0.6) ? { [key]: value } : {})
const words = () => (chance(0.25) ? { [pick(["customErrorText", "errorMessage"])]: pick(["Please!", "5", "x"]) } : {})
const switched = (): Payload => pick<Payload>([true, true, {}, { customErrorText: "Please!" }, false])

const patterns: ReadonlyArray<{ readonly [key: string]: Json }> = [
  { patternValue: "^[a-z]+$" },
  { patternValue: "^[a-z]+$", flags: ["i", "g"] },
  { patternValue: "\\d", invert: true },
  { patternValue: "", invert: true },
  { patternValue: "^\\p{L}+$", flags: ["u"] },
  { patternValue: "^.{2,8}$", flags: ["s", "y"] },
  { patternValue: "@" },
  { patternValue: "^([a-z]+\\.)*[a-z]+$", flags: null, invert: null },
  // Could run for ever (no value here may begin with many an "a"): the client leaves it to the server, and says so.
  { patternValue: "^(a+)+$" }
]
const masks = ["##-##", "(99) 99", "9999", "$9[[space]]999", "a#", ""]
const comparisons = ["equal", "==", "!=", "<", "less", "lte", ">", "gt", ">=", ""]

const givenLists: ReadonlyArray<{ readonly [key: string]: Json }> = [
  { list: ["a", "red", 5] },
  { values: [{ value: "red" }, { title: "Blue" }, { value: 1, title: "One" }, true] },
  { items: "a, red; 5" },
  { list: [] },
  {},
  // Not one of the keys that this package knows.
  { choices: ["a", "red"] }
]

const validator = (name: FormSchema.ValidatorName, markers: ReadonlyArray<string>): Payload => {
  switch (name) {
    case "requiredValidator":
      return pick<Payload>([true, {}, { strict: true }, { customErrorText: "Please!" }, false])
    case "trimValidator":
    case "urlInspectionValidator":
    case "emailInspectionValidator":
    case "booleanValidator":
    case "checkForLettersValidator":
      return switched()
    case "stringInspectionValidator":
      return {
        ...keyed("stringMin", loose(1 + below(4))),
        ...keyed("stringMax", loose(chance(0.6) ? 2 + below(4) : 3 + below(60))),
        ...(chance(0.2) ? { stringLength: loose(1 + below(5)) } : {}),
        ...words()
      }
    case "checkForNumberValidator":
      return chance(0.3)
        ? switched()
        : {
            ...keyed("integerOnly", pick([true, false, null])),
            ...keyed("minValue", loose(below(6))),
            ...keyed("maxValue", loose(5 + below(2_000))),
            ...words()
          }
    case "roundingNumberValidator":
      return pick<Payload>([
        true,
        {},
        { precision: loose(1 + below(3)), ...words() },
        { ...words(), decimals: loose(2) },
        { places: 2 }
      ])
    case "comparisonValidator":
      return pick<Payload>([
        true,
        {},
        { ...words(), [pick(["marker", "fieldMarker", "compareWith"])]: pick(markers) },
        { [pick(["comparison", "operator"])]: pick(comparisons), marker: pick(markers) },
        { [pick(["comparison", "operator"])]: pick(comparisons), marker: pick(markers) },
        { marker: "nowhere" },
        { with: pick(markers) }
      ])
    case "checkForAGivenList":
      return { ...words(), ...pick(givenLists) }
    case "regExpValidator":
      return { ...pick(patterns), ...words() }
    case "fieldMaskValidator":
      return { maskValue: pick(masks), ...keyed("hint", pick(["+7", "", null, "(a)"])), ...words() }
    case "defaultValueValidator":
      return { fieldDefaultValue: pick<Json>(["x", null, 5]), ...words() }
    case "sizeInPixelsValidator":
      return { ...keyed("maxX", loose(100)), ...keyed("maxY", loose(100)) }
    case "checkingFilesValidator":
      return {
        ...keyed("maxUnits", pick(["kb", "mb", "KB", "parsec"])),
        ...keyed("maxValue", loose(2_000)),
        ...keyed("extensions", pick<Json>([["png", ".pdf"], [], "png,pdf"])),
        ...words()
      }
    case "minMaxDateValidator":
      return { ...keyed("minDate", pick<Json>(["1900-01-01", "", 0])), ...keyed("maxDate", "2030-01-01"), ...words() }
    case "valueValidator":
      return { ...keyed("minValue", loose(1)), ...keyed("maxValue", loose(5_000)) }
  }
}

const names: ReadonlyArray<FormSchema.ValidatorName> = [
  // Those more often that have the most ways to be wrong.
  "requiredValidator",
  "requiredValidator",
  "trimValidator",
  "stringInspectionValidator",
  "stringInspectionValidator",
  "comparisonValidator",
  "comparisonValidator",
  "fieldMaskValidator",
  "urlInspectionValidator",
  "emailInspectionValidator",
  "checkForNumberValidator",
  "roundingNumberValidator",
  "booleanValidator",
  "comparisonValidator",
  "checkForAGivenList",
  "regExpValidator",
  "fieldMaskValidator",
  "defaultValueValidator",
  "sizeInPixelsValidator",
  "checkingFilesValidator",
  "minMaxDateValidator",
  "valueValidator",
  "checkForLettersValidator"
]

const validatorsOf = (markers: ReadonlyArray<string>, p: number) => {
  const out: Record<string, Payload> = {}
  while (chance(p)) {
    const name = pick(names)
    out[name] = validator(name, markers)
  }
  return out
}

/** What a server may send but the emulator's project does not take: the client lists it, and goes on. */
const oddities: ReadonlyArray<{ readonly [name: string]: Json }> = [
  { regExpValidator: { patternValue: "([" } },
  { regExpValidator: { patternValue: "a", flags: ["u", "v"] } },
  { regExpValidator: { patternValue: 5 } },
  { regExpValidator: null },
  { holographicValidator: { depth: 3 } },
  { constructor: true },
  { stringInspectionValidator: "x" },
  { fieldMaskValidator: [] }
]

// -- forms ------------------------------------------------------------------------------------------------------------

type Attribute = NonNullable<NonNullable<Project.Input["forms"]>[number]["attributes"]>[number]

const types: ReadonlyArray<Project.AttributeType> = [
  "string",
  "string",
  "string",
  "string",
  "string",
  "integer",
  "float",
  "real",
  "date",
  "dateTime",
  "time",
  "text",
  "textWithHeader",
  "list",
  "radioButton",
  "entity",
  "timeInterval",
  "image",
  "groupOfImages",
  "file",
  "json",
  "button"
]

const flag = (p: number) => (chance(0.15) ? {} : { value: chance(0.2) ? null : chance(p) })
const named = (name: string, p: number): Record<string, boolean | null> => {
  const { value } = flag(p)
  return value === undefined ? {} : { [name]: value }
}

const titles = [
  { title: "Red", value: "red", position: 1 },
  { title: "One", value: 1, position: 2 },
  { title: "Two", value: "2", position: 3 },
  // Submitted by its title.
  { title: "Nameless", value: null, position: 4 }
]

const markerPool = ["name", "a b", "naïve", "constructor", "__proto__", "toString", "phone", "x-1", "名前", "mail_to"]

const attribute = (
  marker: string,
  position: number,
  markers: ReadonlyArray<string>,
  rest: Partial<Attribute>
): Attribute => {
  const type = pick(types)
  return {
    type,
    marker,
    position,
    isVisible: !chance(0.1),
    localizeInfos: { en_US: { title: marker } },
    ...((type === "list" || type === "radioButton") && chance(0.7)
      ? { listTitles: chance(0.8) ? titles : { en_US: titles } }
      : {}),
    ...named("multiselect", 0.5),
    ...named("isSignUp", 0.7),
    ...named("isSignUpRequired", 0.3),
    ...named("isNotificationEmail", 0.1),
    ...named("isNotificationPhoneSMS", 0.1),
    ...named("isNotificationPhonePush", 0.1),
    validators: validatorsOf(markers, 0.5),
    ...rest
  }
}

interface Case {
  readonly n: number
  readonly identifier: string
  readonly attributes: ReadonlyArray<Attribute>
  /** Validators that only the client hears of, by marker. */
  readonly odd: ReadonlyMap<string, { readonly [name: string]: Json }>
  readonly login: string | undefined
  readonly password: string | undefined
  readonly type: "data" | "collection" | null | "sing_in_up" | "sign_in_up"
}

const shuffled = <A>(items: ReadonlyArray<A>): ReadonlyArray<A> =>
  items
    .map((item) => [random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item)

const makeCase = (n: number, signUp: boolean): Case => {
  random = generator(seed + n * 7919)
  const login = signUp && !chance(0.02) ? pick(["login", "e-mail"]) : undefined
  const password = signUp && !chance(0.15) ? pick(["secret", "pass_word", "pin"]) : undefined
  const fields = shuffled(markerPool).slice(0, signUp ? below(5) : 1 + below(5))
  const markers = [...fields, ...(login === undefined ? [] : [login]), ...(password === undefined ? [] : [password])]
  const credential = { type: chance(0.9) ? ("string" as const) : pick(["integer", "string", "real", "list"] as const) }
  const attributes: Array<Attribute> = []
  for (const marker of shuffled(markers)) {
    const base = { isPassword: false, isLogin: false }
    const mine: Partial<Attribute> =
      marker === login
        ? { ...credential, ...base, isLogin: true, ...(chance(0.4) ? { validators: {} } : {}) }
        : marker === password
          ? {
              ...credential,
              isLogin: null,
              // Forms older than the flag.
              ...(chance(0.2)
                ? { additionalFields: [{ marker: "type", type: "string", value: "password" }] }
                : { isPassword: true }),
              ...(chance(0.4) ? { validators: {} } : {})
            }
          : { ...base, isPassword: !signUp && chance(0.02) }
    attributes.push(attribute(marker, attributes.length + 1, markers, mine))
  }
  for (const marker of chance(0.08) ? ["captcha", ...some(["captcha_2"], 0.2)] : []) {
    attributes.push({ type: "spam", marker, position: attributes.length + 1, isVisible: chance(0.7) })
  }
  const odd = new Map<string, { readonly [name: string]: Json }>()
  for (const { marker } of attributes) if (chance(0.06)) odd.set(marker, pick(oddities))
  return {
    n,
    identifier: `${signUp ? "sign-up" : "data"}-${n}`,
    attributes,
    odd,
    login,
    password,
    type: signUp ? pick(["sing_in_up", "sign_in_up"]) : pick(["data", "collection", null])
  }
}

const cases = (signUp: boolean): ReadonlyArray<Case> =>
  Array.from({ length: formsPerKind }, (_, n) => n)
    .filter((n) => only === undefined || n === only)
    .map((n) => makeCase(n, signUp))

const signUps = cases(true)
const submissions = cases(false)

const project: Project.Input = {
  providers: [
    { id: 1, identifier: "email" },
    // Without a password one signs in by code.
    { id: 2, identifier: "code", isCheckCode: true }
  ],
  forms: [...signUps, ...submissions].map(({ attributes, identifier, type }) => ({ identifier, type, attributes }))
}

/** The other side of each switch that forms have to do with. */
const switches: NonNullable<Project.Input["switches"]> = {
  notificationPhones: "refuse",
  fieldWording: "required",
  fileContentType: "refuse"
}

// -- values -----------------------------------------------------------------------------------------------------------

const texts: ReadonlyArray<string> = [
  "a",
  "Ann",
  " Ann ",
  "abc",
  "ann@example.com",
  " ann@example.com ",
  "a@b",
  `${"ab".repeat(20)}.${"b".repeat(40)}@example.com`,
  "a@b@c.io",
  "zoë@exämple.de",
  "https://a.example/x?y=1",
  " https://a.example",
  "ftp://a.example/x",
  "javascript:alert(1)",
  "5",
  "05",
  "1.5",
  "1.50",
  "1.555",
  "-3",
  "1e3",
  "1.5e1",
  "1e-7",
  "1234",
  "0",
  "0x10",
  "true",
  "false",
  "1",
  "maybe",
  "12-34",
  "+712-34",
  "(12) 34",
  "+7(12) 34",
  "$5 000",
  "+5 000",
  "$9[[space]]999",
  "a5",
  "red",
  "Blue",
  "Zoë",
  "名前",
  "👩‍👩‍👧",
  "\ud83d",
  "\u0000",
  "line\nbreak",
  "O'Neil",
  '"quoted"',
  "aaaaaaaaaaaa!",
  "x".repeat(300),
  "2024-05-07",
  "__proto__",
  "null",
  "[object Object]",
  ""
]

const stored = { filename: "files/a.png", downloadLink: "https://example.com/a.png", size: 3 }
const event = (token: FieldValue.SpamField["value"]["event"]["token"]) => ({ event: { token, siteKey: "key" } })
const query: FieldValue.FileQuery = { type: "page", entity: "editor", id: 3492 }

/** What no field has, and what is nothing. */
const wrong = (): unknown =>
  pick<() => unknown>([
    () => null,
    () => undefined,
    () => "",
    () => "  ",
    () => Number.NaN,
    () => Number.POSITIVE_INFINITY,
    () => ({}),
    () => [],
    () => [[]],
    () => [null],
    () => true,
    () => -0,
    () => 1.5,
    () => 10n,
    () => Symbol("x"),
    () => () => "x",
    () => new Date(Number.NaN),
    () => new Map([["x", 1]]),
    () => ({ value: "red" }),
    () => Redacted.make("a secret"),
    () => Redacted.make(""),
    () => Redacted.make(5)
  ])()

const digits: ReadonlyArray<unknown> = [
  5,
  "5",
  " 7 ",
  0,
  -1,
  1.5,
  "1.50",
  1.555,
  "1e3",
  10n,
  2 ** 53,
  "12345678901234567890123",
  "+5",
  1e21,
  1e-7,
  "0x10",
  "five",
  "1".repeat(400),
  1000,
  true
]

const dates: ReadonlyArray<unknown> = [
  "2024-05-07",
  "2024-02-31",
  "2024-05-07T10:00:00+02:00",
  "2024-05-07 10:00",
  "14:30",
  "25:00",
  new Date(0),
  new Date(8.64e15),
  { fullDate: "2024-05-07T00:00:00.000Z", formattedValue: "07-05-2024", formatString: "DD-MM-YYYY" },
  { fullDate: "2024-05-07", formatString: "YYYY" },
  { fullDate: "soon" },
  { fullDate: "" },
  { formattedValue: "07-05-2024" },
  "yesterday"
]

const textValues: ReadonlyArray<unknown> = [
  "me",
  "  ",
  { plainValue: "me" },
  { htmlValue: "<b>me</b>", params: { editorMode: "html" } },
  { mdValue: "**me**", plainValue: "" },
  { mdValue: "**me**", plainValue: "me" },
  { plainValue: 5 },
  { header: "I", plainValue: "me" },
  { header: "I" },
  [{ plainValue: "me" }],
  [{ plainValue: "me" }, { plainValue: "you" }],
  [{ plainValue: "me" }, { plainValue: "" }],
  [{}],
  { plainValue: "me", more: 1 },
  { plainValue: "me", params: () => 1 }
]

const choices: ReadonlyArray<unknown> = [
  "red",
  "Red",
  ["red"],
  ["red", "2"],
  ["red", "red"],
  1,
  "1",
  [2],
  ["Nameless"],
  ["null"],
  "",
  [""],
  "  ",
  ["green"],
  [{ title: "Red", value: "red", position: 1, extended: null }],
  [{ title: "Red" }],
  [{ id: 1 }],
  { value: "2" },
  { value: null, title: "Nameless" },
  { value: { deep: true } },
  [true],
  ["a"],
  "a"
]

const entities: ReadonlyArray<unknown> = [
  [2954, 2957],
  5,
  "5",
  ["p-1-2"],
  "p-1-2",
  ["p-1"],
  ["page"],
  [1.5],
  [-5],
  [{ id: 3, title: "Three", value: 3, parentId: null }],
  { id: "p-1-2" },
  [{ title: "Three" }],
  [""],
  " 5 "
]

const intervals: ReadonlyArray<unknown> = [
  [["2024-05-07T10:00:00Z", "2024-05-07T11:00:00Z"]],
  ["2024-05-07T10:00:00Z", "2024-05-07T11:00:00Z"],
  [["2024-05-07T11:00:00Z", "2024-05-07T10:00:00Z"]],
  [[new Date(0), new Date(1)]],
  [["2024-05-07T10:00:00Z"]],
  [["soon", "later"]],
  "10:00-11:00"
]

const files = (): ReadonlyArray<unknown> => [
  stored,
  [stored],
  [stored, { ...stored, contentType: "image/png", previewLink: null }],
  { ...stored, size: "3" },
  { ...stored, size: -3 },
  { filename: "a.png" },
  { ...stored, previewLink: { x: "y" }, params: {} },
  new File(["pixels"], "a.png", { type: "image/png" }),
  [new Blob(["pixels"], { type: "image/png" }), stored],
  // What a browser gives for an <input type=file> that was left alone.
  new File([], ""),
  "a.png"
]

const captchas: ReadonlyArray<unknown> = [
  event("fresh"),
  event("fresh"),
  event(Redacted.make("fresh")),
  { token: "fresh", siteKey: "key" },
  event(""),
  { event: { token: "fresh" } },
  "fresh",
  null
]

const jsons: ReadonlyArray<unknown> = [
  { a: 1 },
  "{}",
  "{",
  "  ",
  [],
  [1],
  5,
  1.5,
  "5",
  '"x"',
  true,
  false,
  "true",
  { a: undefined, b: [{}] },
  { a: new Date(0) },
  Redacted.make('{"a":1}')
]

const candidates = (type: string): ReadonlyArray<unknown> => {
  switch (type) {
    case "string":
      return texts
    case "integer":
    case "float":
    case "real":
      return digits
    case "date":
    case "dateTime":
    case "time":
      return dates
    case "text":
    case "textWithHeader":
      return textValues
    case "list":
    case "radioButton":
      return choices
    case "entity":
      return entities
    case "timeInterval":
      return intervals
    case "image":
    case "groupOfImages":
    case "file":
      return files()
    case "spam":
      return captchas
    case "json":
      return jsons
    default:
      return [...texts, ...digits]
  }
}

const randomText = () => {
  let out = ""
  for (let i = below(12); i >= 0; i--) out += pick(["a", "B", "7", " ", "é", "-", ".", "@", "字", "😀"])
  return out
}

/** What stands close to the line that a validator draws. */
const edges: { readonly [name: string]: ReadonlyArray<unknown> } = {
  requiredValidator: [[], "  ", " x "],
  stringInspectionValidator: ["a", "ab", "abc", "abcd", "😀", "a ", 12, 1234],
  checkForNumberValidator: ["5", "5.5", "0", "6", "2000", "2001.5", 5, 5.5, "five"],
  roundingNumberValidator: ["1.5", "1.25", "1.555", "1.5550", "1.5555", "12.5e-1", "15e-4", 1.25, 1.555, 1.5555, "x"],
  booleanValidator: ["true", "1", "yes", 1, 2],
  comparisonValidator: ["1", "2", "10", 1, 2, 10],
  checkForAGivenList: ["a", "red", "5", "Blue", "1", "One", "true", "green", 5, 6],
  fieldMaskValidator: [
    "12-34",
    "+712-34",
    "(12) 34",
    "1234",
    "+5 123",
    "$5 123",
    "-5 123",
    "+7+5 123",
    "a5",
    "(a)a5",
    "12-3x"
  ]
}

const candidate = ({ rules, type }: FormSchema.FormAttribute): unknown => {
  if (chance(0.08)) return wrong()
  const near = rules.validators.flatMap(({ name }) => edges[name] ?? [])
  if (near.length > 0 && chance(type === "string" ? 0.5 : 0.25)) return pick(near)
  if (type === "string" && chance(0.1)) return randomText()
  const value = pick(candidates(type))
  return typeof value === "string" && chance(0.08) ? Redacted.make(value) : value
}

/** A value for a field; a careful person tries until the page shows no complaint. */
const valueFor = (attribute: FormSchema.FormAttribute, form: FormSchema.Form, careful: boolean): unknown => {
  let value = candidate(attribute)
  if (!careful) return value
  const alone: FormSchema.Form = { ...form, attributes: [attribute] }
  for (let tries = 0; tries < 25; tries++) {
    // Own keys only: a marker may be `__proto__`.
    const values = Object.fromEntries([[attribute.marker, value]])
    const filled = value !== "" && value !== undefined && value !== null
    if (filled && Result.isSuccess(FormSchema.validateResult(alone, values, { fileQuery: query }))) return value
    value = candidate(attribute)
  }
  return value
}

const valuesFor = (form: FormSchema.Form): FormSchema.FormValues => {
  const careful = chance(0.6)
  const compared = new Set(
    form.attributes.flatMap(({ rules }) =>
      rules.validators.flatMap(({ rule }) => (rule._tag === "Comparison" ? rule.marker : []))
    )
  )
  const entries: Array<readonly [string, unknown]> = []
  for (const attribute of form.attributes) {
    if (chance(careful ? 0.04 : 0.15)) continue
    const twin = compared.has(attribute.marker) && chance(0.5)
    const value = twin
      ? pick(edges["comparisonValidator"] ?? [])
      : valueFor(attribute, form, careful ? !chance(0.05) : chance(0.5))
    entries.push([attribute.marker, value])
  }
  if (chance(0.04)) entries.push([pick(["typo", "hasOwnProperty", "valueOf"]), "x"])
  return Object.fromEntries(entries)
}

// -- the server alone -------------------------------------------------------------------------------------------------

const reveal = (value: unknown): unknown => (Redacted.isRedacted(value) ? Redacted.value(value) : value)
const isOn = (payload: unknown) => payload !== undefined && payload !== null && payload !== false

const withoutFiles = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(withoutFiles) : value instanceof Blob ? stored : value

/** Whether it goes through JSON at all: what does not cannot be sent by anybody. */
const isSendable = (value: unknown): boolean => {
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}

/** What only shows a choice stands for what the form submits for it. */
const choiceAsText = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(choiceAsText)
  if (typeof value !== "object" || value === null) return value
  const { id, title, value: own }: { readonly id?: unknown; readonly title?: unknown; readonly value?: unknown } = value
  return own ?? id ?? title ?? value
}

type Item = { readonly marker: string; readonly type: string; readonly value: unknown }

/**
 * A field as it goes out where nobody looks at the form: encoded where it can be, and as it stands where it cannot.
 * Gives nothing where there is nothing to send.
 */
const unchecked = (marker: string, type: string, given: unknown, trim: boolean): Item | undefined => {
  // A file input that was left alone.
  if (type === "button" || (given instanceof File && given.name === "")) return undefined
  let value = withoutFiles(reveal(given))
  if (type === "string" && (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value)))) {
    value = String(value)
  }
  if (trim && typeof value === "string") value = value.trim()
  if (type === "list" || type === "radioButton") value = choiceAsText(value)
  const encoded = FieldValue.encode([{ marker, type, value }])
  if (Result.isSuccess(encoded)) return encoded.success[0]
  return isSendable(value) ? { marker, type, value } : undefined
}

const post = (path: string, body: unknown) =>
  Effect.gen(function* () {
    const { anonymous } = yield* OneEntryClient.OneEntryClient
    const response = yield* anonymous.execute(
      HttpClientRequest.bodyText(HttpClientRequest.post(path), JSON.stringify(body), "application/json")
    )
    const answer = Object(yield* response.json)
    const messages: ReadonlyArray<string> = [answer.message ?? []].flat()
    return { status: response.status, messages, id: answer.id }
  })

/** The fields that a refusal names. */
const refusedMarker = (message: string): string | undefined =>
  /^formData's marker '(.+)' (?:value|type)/.exec(message)?.[1] ??
  /^required values are missing or incorrect: (.+)$/.exec(message)?.[1]

const issuesOf = (result: Result.Result<unknown, unknown>): ReadonlyArray<FormSchema.FormIssue> =>
  Result.isFailure(result) && result.failure instanceof FormSchema.FormInvalid ? result.failure.issues : []

const shown = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === "bigint" || typeof item === "symbol" || typeof item === "function"
      ? String(item)
      : Redacted.isRedacted(item)
        ? { redacted: reveal(item) }
        : item === undefined
          ? "undefined"
          : item
  )

const story = (one: Case, values: unknown, more: object): string =>
  [
    `SEED=${seed} CASE=${one.n} (${one.identifier})`,
    ...one.attributes.map((attribute) => `  field ${JSON.stringify(attribute)}`),
    `  odd ${JSON.stringify([...one.odd])}`,
    `  values ${shown(values)}`,
    ...Object.entries(more).map(([name, what]) => `  ${name} ${shown(what)}`)
  ].join("\n")

/** Says whether the client had refused what the server refuses. */
const hadRefused = (
  message: string,
  issues: ReadonlyArray<FormSchema.FormIssue>,
  form: FormSchema.Form,
  one: Case
): boolean => {
  const marker = refusedMarker(message)
  if (marker !== undefined) {
    // What the client could not use of a definition it has listed, for the server to judge.
    if (issues.some((issue) => issue.marker === marker) || listed(form, marker)) return true
    // Fields are compared once each is right by itself.
    const rules = form.attributes.find((attribute) => attribute.marker === marker)?.rules.validators ?? []
    return rules.some(({ rule }) => rule._tag === "Comparison" && issues.some((issue) => issue.marker === rule.marker))
  }
  if (/wrong form's attribute type/.test(message)) {
    const unfit = form.attributes.filter(({ isPassword, type }) => isPassword || type === "button")
    return issues.some((issue) => issue.code === "unknownMarker" || unfit.some(({ marker }) => marker === issue.marker))
  }
  if (/spam attribute|span attribute|captcha/i.test(message)) {
    return issues.some((issue) =>
      form.attributes.some(({ marker, type }) => type === "spam" && marker === issue.marker)
    )
  }
  if (/empty form data section/.test(message)) return issues.length > 0
  if (/login or password/i.test(message)) {
    return issues.some((issue) => issue.marker === one.login || issue.marker === one.password || issue.marker === "")
  }
  return false
}

/** Those whose settings no source describes, and expressions that may run for ever. */
const undecidable = ["roundingNumberValidator", "comparisonValidator", "checkForAGivenList", "regExpValidator"]

const listed = (form: FormSchema.Form, marker: string): boolean =>
  FormSchema.problems(form).some(
    ({ marker: own, validator }) => own === marker && undecidable.includes(validator ?? "")
  )

/** The form's own words are what a refusal by a validator is told in. */
const checkWords = (issues: ReadonlyArray<FormSchema.FormIssue>, form: FormSchema.Form, about: () => string) => {
  for (const issue of issues) {
    const rule = form.attributes
      .find(({ marker }) => marker === issue.marker)
      ?.rules.validators.find(({ name }) => name === issue.validator)
    if (rule?.customErrorText !== undefined) assert.strictEqual(issue.message, rule.customErrorText, about())
    assert.notStrictEqual(issue.message, "", about())
  }
}

/** The form as a client of the server has it, with what only a client hears of. */
const formOf = Effect.fnUntraced(function* (one: Case) {
  const forms = yield* Forms.Forms
  const form = yield* forms.getFormByMarker(one.identifier)
  if (one.odd.size === 0) return form
  return yield* FormSchema.decode(
    {
      id: form.id,
      identifier: form.identifier,
      type: form.type,
      attributes: one.attributes.map((attribute) => ({
        ...attribute,
        localizeInfos: { title: attribute.marker },
        validators: { ...one.odd.get(attribute.marker), ...attribute.validators }
      }))
    },
    "en_US"
  )
})

const lastRequest = Effect.map(
  Emulator.Emulator.use((emulator) => emulator.requests),
  (entries) => entries.at(-1)
)

interface Counts {
  accepted: number
  refused: number
  refusedByServer: number
}

const common = (name: string, counts: Counts) => {
  const { accepted, refused, refusedByServer } = counts
  if (only !== undefined) return
  const total = accepted + refused
  assert.isAtLeast(accepted, total * 0.15, `${name}: ${JSON.stringify(counts)}`)
  assert.isAtLeast(refused, total * 0.15, `${name}: ${JSON.stringify(counts)}`)
  assert.isAtLeast(refusedByServer, total * 0.15, `${name}: ${JSON.stringify(counts)}`)
}

const worlds = [
  ["the newest server", {}, {}],
  ["an older one", switches, { notifications: "emailOnly" }]
] as const

describe(`SEED=${seed}`, () => {
  for (const [world, switches, options] of worlds) {
    it.effect(`sign-up: what encode lets through is accepted, and what is refused it had refused (${world})`, () =>
      Effect.gen(function* () {
        const auth = yield* AuthProvider.AuthProvider
        const emulator = yield* Emulator.Emulator
        const counts: Counts = { accepted: 0, refused: 0, refusedByServer: 0 }
        for (const one of signUps) {
          const page = SignUpForm.make(yield* formOf(one), { ...options, fileQuery: query })
          const provider = one.password === undefined ? "code" : "email"
          random = generator(seed + one.n * 104_729)
          for (let round = 0; round < valuesPerForm; round++) {
            const values = valuesFor(page.form)
            const encoded = yield* Effect.result(page.encode(values))
            const issues = issuesOf(encoded)
            const about = (more: object) => story(one, values, { issues, problems: page.problems, ...more })
            checkWords(issues, page.form, () => about({}))
            if (Result.isSuccess(encoded)) {
              counts.accepted++
              const answer = yield* Effect.result(auth.signUp(provider, encoded.success))
              if (Result.isSuccess(answer)) {
                assert.isTrue(yield* emulator.deleteUser(answer.success.id))
              } else {
                // What the client could not read of a definition is the server's to judge, and its alone.
                const { failure } = answer
                const messages = failure._tag === "InvalidData" ? failure.messages : []
                const marker = refusedMarker(messages[0] ?? "")
                assert.isTrue(
                  marker !== undefined && listed(page.form, marker),
                  about({ sent: encoded.success, failure, messages })
                )
              }
            } else {
              counts.refused++
              assert.isAbove(issues.length, 0, about({}))
            }

            const items: Array<Item> = []
            const authData: Array<{ readonly marker: string; readonly value: string }> = []
            for (const [marker, value] of Object.entries(values)) {
              const attribute = one.attributes.find((attribute) => attribute.marker === marker)
              const trim = isOn(attribute?.validators?.trimValidator)
              const item = unchecked(marker, attribute?.type ?? "string", value, trim)
              if (item === undefined) continue
              if (marker === one.login || marker === one.password) {
                if (typeof item.value === "string" || typeof item.value === "number") {
                  authData.push({ marker, value: String(item.value) })
                }
              } else items.push(item)
            }
            const answer = yield* post(`/api/content/users-auth-providers/marker/${provider}/users/sign-up`, {
              formIdentifier: one.identifier,
              langCode: "en_US",
              authData,
              formData: { en_US: items }
            })
            if (answer.status < 300) assert.isTrue(yield* emulator.deleteUser(answer.id))
            else {
              counts.refusedByServer++
              assert.isTrue(
                answer.messages.every((message) => hadRefused(message, issues, page.form, one)),
                about({ authData, items, answer })
              )
            }
          }
        }
        common("sign-up", counts)
      }).pipe(Effect.provide(inProcess(undefined, { project: { ...project, switches } })))
    )

    it.effect(`submissions: what post sends is accepted, and what is refused it had refused (${world})`, () =>
      Effect.gen(function* () {
        const data = yield* FormsData.FormsData
        const counts: Counts = { accepted: 0, refused: 0, refusedByServer: 0 }
        for (const one of submissions) {
          const form = yield* formOf(one)
          random = generator(seed + one.n * 104_729)
          for (let round = 0; round < valuesPerForm; round++) {
            const values = valuesFor(form)
            const fields = Object.entries(values).map(([marker, value]) => {
              const type = one.attributes.find((attribute) => attribute.marker === marker)?.type ?? "string"
              return { marker, type: chance(0.02) ? pick(types) : type, value, fileQuery: query }
            })
            if (chance(0.02) && fields[0] !== undefined) fields.push(fields[0])
            const before = yield* lastRequest
            const result = yield* Effect.result(
              data.post(
                // No type can be had for what chance made.
                { formIdentifier: one.identifier, formData: fields as unknown[] as Array<FieldValue.FormField> },
                { form }
              )
            )
            const issues = issuesOf(result)
            const about = (more: object) =>
              story(one, fields, { issues, problems: FormSchema.problems(form), result, ...more })
            checkWords(issues, form, () => about({}))
            if (Result.isSuccess(result)) counts.accepted++
            else if (issues.some(({ code }) => code === "server")) {
              assert.isTrue(
                issues.every(({ marker }) => listed(form, marker)),
                about({})
              )
            } else {
              counts.refused++
              assert.isAbove(issues.length, 0, about({}))
              assert.strictEqual(yield* lastRequest, before, "nothing was sent")
            }

            const items = fields.flatMap(({ marker, type, value }): ReadonlyArray<Item> => {
              const attribute = one.attributes.find((attribute) => attribute.marker === marker)
              const item = unchecked(marker, type, value, isOn(attribute?.validators?.trimValidator))
              return item === undefined ? [] : [item]
            })
            const answer = yield* post("/api/content/form-data", {
              formIdentifier: one.identifier,
              replayTo: null,
              formData: { en_US: items }
            })
            if (answer.status >= 300) {
              counts.refusedByServer++
              assert.isTrue(
                answer.messages.every((message) => hadRefused(message, issues, form, one)),
                about({ items, answer })
              )
            }
          }
        }
        common("submissions", counts)
      }).pipe(Effect.provide(inProcess(undefined, { project: { ...project, switches } })))
    )
  }
})

// -- bad input --------------------------------------------------------------------------------------------------------

describe("bad input: a typed error names the marker and what to do, and nothing is sent", () => {
  const here = inProcess(undefined, { project: content })
  const small = () => new File(["x"], "cv.pdf")
  const huge = () => {
    const file = new File(["x"], "film.mp4")
    Object.defineProperty(file, "size", { value: 2 * 1024 ** 3 })
    return file
  }

  const rows: ReadonlyArray<readonly [what: string, marker: string, value: FieldValue.FormField, says: RegExp]> = [
    [
      "a file field without a file",
      "cv",
      { marker: "cv", type: "file", value: [{ filename: "a.pdf", downloadLink: "", size: Number.NaN }] },
      /File or Blob together with a fileQuery/
    ],
    ["a file that belongs nowhere", "cv", FieldValue.file("cv", small()), /add fileQuery: \{ type, entity, id \}/],
    ["a date that is none", "day", FieldValue.date("day", "2024-02-31"), /must be a date that exists: ISO/],
    ["an upload of two gigabytes", "cv", FieldValue.file("cv", huge(), query), /film\.mp4.*2147483648 bytes.*maxBytes/]
  ]

  for (const [what, marker, field, says] of rows) {
    it.effect(`${what}: signUp, post, updateById and updateUser`, () =>
      Effect.gen(function* () {
        const auth = yield* AuthProvider.AuthProvider
        const data = yield* FormsData.FormsData
        const users = yield* Users.Users
        const contact = yield* Forms.Forms.use((forms) => forms.getFormByMarker("contact_us"))
        yield* register()
        yield* signIn()
        const name = FieldValue.string("name", "Ann")
        // The good file of another language waits for the bad one too.
        const languages = { en_US: [FieldValue.file("photo", small(), query)], de_DE: [field] }
        const authData = [
          { marker: "login", value: "bob" },
          { marker: "secret", value: "x" }
        ]
        const calls: Record<string, Effect.Effect<unknown, { readonly message: string; readonly cause?: unknown }>> = {
          signUp: auth.signUp("rich", { formIdentifier: "rich", authData, formData: [name, field] }),
          "signUp in two languages": auth.signUp("rich", { formIdentifier: "rich", authData, formData: languages }),
          "post, the form given": data.post(
            { formIdentifier: "contact_us", formData: [name, field] },
            { form: contact }
          ),
          post: data.post({ formIdentifier: "contact_us", formData: [name, field] }),
          "post in two languages": data.post({ formIdentifier: "contact_us", formData: languages }),
          updateById: data.updateById(1, { formData: [name, field] }),
          updateUser: users.updateUser({ formIdentifier: "reg", formData: [field] })
        }
        for (const [call, run] of Object.entries(calls)) {
          const { result: error, sent } = yield* sentBy(Effect.flip(run))
          assert.deepStrictEqual(sent, [], call)
          const said = `${"marker" in error ? `${String(error.marker)}: ` : ""}${error.message} ${String(error.cause)}`
          assert.include(said, `${marker}: `, call)
          assert.match(said, says, call)
        }
      }).pipe(Effect.provide(here))
    )
  }

  it.effect("an unknown marker, a form without attributes, one without a login, a file input left alone", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const forms = yield* Forms.Forms
      const reg = yield* forms.getFormByMarker("reg")
      const blank = yield* forms.getFormByMarker("blank")
      const contact = yield* forms.getFormByMarker("contact_us")
      const page = SignUpForm.make(reg)
      const known = {
        email_reg: "ann@example.com",
        password_reg: Redacted.make("secret"),
        name_reg: "Ann",
        phone_reg: "+1"
      }
      const post = (form: FormSchema.Form, formData: FieldValue.FormFields) =>
        data.post({ formIdentifier: form.identifier, formData }, { form })
      const rows: ReadonlyArray<
        readonly [Effect.Effect<unknown, { readonly _tag: string; readonly message: string }>, RegExp]
      > = [
        [
          page.encode({ ...known, pasword_reg: "x" }),
          /^pasword_reg: the form has no such field; leave it out or correct/
        ],
        [page.encodeSignIn({ ...known, pasword_reg: "x" }), /^pasword_reg: the form has no such field; leave it out/],
        [
          post(contact, [FieldValue.string("name", "Ann"), FieldValue.string("typo", "x")]),
          /^typo: the form has no such field; leave it out or correct its marker$/
        ],
        [SignUpForm.make(blank).encode({}), /the form "blank" has no login field; flag one in the admin panel/],
        [post(blank, [FieldValue.string("name", "Ann")]), /^blank: has no fields: add attributes to the form/],
        [post(contact, { marker: "cv", type: "file", value: new File([], "") }), /^name: is required$/]
      ]
      const { result, sent } = yield* sentBy(Effect.forEach(rows, ([run]) => Effect.flip(run)))
      assert.deepStrictEqual(sent, [])
      result.forEach((error, index) => {
        assert.strictEqual(error._tag, "FormInvalid")
        assert.match(error.message, rows[index]?.[1] ?? /$^/)
      })

      // Nothing chosen is no file, and no reason to send none of the rest.
      const left = yield* post(contact, [
        FieldValue.string("name", "Ann"),
        { marker: "cv", type: "file", value: new File([], "") }
      ])
      assert.deepStrictEqual(
        left.submission.formData.map(({ marker }) => marker),
        ["name"]
      )
    }).pipe(Effect.provide(here))
  )

  it.effect("an upload by itself", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      const { result, sent } = yield* sentBy(Effect.flip(files.upload(huge(), query)))
      assert.deepStrictEqual(sent, [])
      assert.strictEqual(result._tag, "FileTooLarge")
      assert.match(result.message, /film\.mp4.*2147483648 bytes.*maxBytes/)
    }).pipe(Effect.provide(here))
  )
})

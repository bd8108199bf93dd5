/**
 * The failures of submissions and files: public as `FormsData.X` and `FileUploading.X`. They stand here because the
 * table of answers makes them.
 */
import * as Schema from "effect/Schema"
import { envelopeFields } from "./serverEnvelope.ts"

const fields = {
  ...envelopeFields,
  /** The marker of the form; of one submission, its id. */
  marker: Schema.String
} as const

const sentence = (text: string, messages: ReadonlyArray<string>): string =>
  messages.length === 0 ? text : `${text} (${messages.join("; ")})`

/**
 * Fails posting a submission. The form takes data of signed-in users only, and nobody is signed in.
 *
 * **Example** (To the sign-in page)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { FormsData } from "effect-oneentry"
 *
 * export const program = FormsData.FormsData.use((data) =>
 *   data.post({ formIdentifier: "review", formData: [{ marker: "text", type: "string", value: "Good" }] })
 * ).pipe(
 *   Effect.catchTag("AnonymousNotAllowed", () => Effect.logInfo("Please sign in first"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class AnonymousNotAllowed extends Schema.TaggedError<AnonymousNotAllowed>(
  "effect-oneentry/FormsData/AnonymousNotAllowed"
)("AnonymousNotAllowed", fields) {
  override get message(): string {
    return sentence(`The form "${this.marker}" takes data of signed-in users only: sign in first`, this.messages)
  }
}

/**
 * Fails posting a submission. This person, or this device, has rated the entity already.
 *
 * **Example** (Once is enough)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { FormsData } from "effect-oneentry"
 *
 * export const program = FormsData.FormsData.use((data) =>
 *   data.post({
 *     formIdentifier: "stars",
 *     moduleEntityIdentifier: "blog",
 *     formData: [{ marker: "stars", type: "integer", value: 5 }]
 *   })
 * ).pipe(
 *   Effect.catchTag("AlreadyRated", () => Effect.logInfo("You have rated this already"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class AlreadyRated extends Schema.TaggedError<AlreadyRated>("effect-oneentry/FormsData/AlreadyRated")(
  "AlreadyRated",
  fields
) {
  override get message(): string {
    return sentence("This entity was rated before, and takes one rating a person", this.messages)
  }
}

/**
 * Fails the operations on submissions. The form does not take submissions in this place: its type is another one, the
 * `formModuleConfigId` is not of this form (any more), or the entity does not belong to the config. Read the form anew
 * and take the config from it.
 *
 * **Example** (A config from yesterday)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { FormsData } from "effect-oneentry"
 *
 * export const program = FormsData.FormsData.use((data) =>
 *   data.post({
 *     formIdentifier: "contact_us",
 *     formModuleConfigId: 2,
 *     formData: [{ marker: "name", type: "string", value: "Ann" }]
 *   })
 * ).pipe(
 *   Effect.catchTag("FormMismatch", (error) => Effect.logWarning(error.message))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class FormMismatch extends Schema.TaggedError<FormMismatch>("effect-oneentry/FormsData/FormMismatch")(
  "FormMismatch",
  fields
) {
  override get message(): string {
    return sentence(
      `The form "${this.marker}" does not take submissions like this one: ` +
        "compare its type, `formModuleConfigId` and `moduleEntityIdentifier` with the form",
      this.messages
    )
  }
}

/**
 * Fails changing and deleting a submission, and answering one. There is no submission with this id (`marker`).
 *
 * **Example** (Gone already)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { FormsData } from "effect-oneentry"
 *
 * export const program = FormsData.FormsData.use((data) => data.deleteById(42)).pipe(
 *   Effect.catchTag("SubmissionNotFound", () => Effect.void)
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class SubmissionNotFound extends Schema.TaggedError<SubmissionNotFound>(
  "effect-oneentry/FormsData/SubmissionNotFound"
)("SubmissionNotFound", fields) {
  override get message(): string {
    return sentence("There is no such submission", this.messages)
  }
}

/**
 * Fails reading and deleting a file. The storage has none of this name (`marker`) in this place.
 *
 * **Example** (A picture that is gone)
 *
 * ```ts
 * import { Stream } from "effect"
 * import { FileUploading } from "effect-oneentry"
 *
 * export const picture = Stream.unwrap(FileUploading.FileUploading.useSync((files) =>
 *   files.getFile({ filename: "me.png", type: "page", entity: "editor", id: 3492 })
 * )).pipe(
 *   Stream.catchTag("FileNotFound", () => Stream.empty)
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class FileNotFound extends Schema.TaggedError<FileNotFound>("effect-oneentry/FileUploading/FileNotFound")(
  "FileNotFound",
  fields
) {
  override get message(): string {
    return sentence(`There is no file "${this.marker}"`, this.messages)
  }
}

/**
 * Fails an upload, or reading a file from a URL. The file is larger than what is allowed: by this client (`limit` says
 * how many bytes; raise `maxBytes`, or make the file smaller), or by the server (`statusCode` and its `messages`).
 *
 * Where the size is known beforehand, nothing was sent.
 *
 * **Example** (Telling the person)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { FileUploading } from "effect-oneentry"
 *
 * export const program = (picture: File) =>
 *   FileUploading.FileUploading.use((files) =>
 *     files.upload(picture, { type: "page", entity: "editor", id: 3492 }, { maxBytes: 2_000_000 })
 *   ).pipe(
 *     Effect.catchTag("FileTooLarge", () => Effect.logInfo("At most 2 MB, please"))
 *   )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class FileTooLarge extends Schema.TaggedError<FileTooLarge>("effect-oneentry/FileUploading/FileTooLarge")(
  "FileTooLarge",
  {
    ...fields,
    statusCode: Schema.optionalKey(envelopeFields.statusCode),
    /** What the client allows, in bytes. */
    limit: Schema.optionalKey(Schema.Finite),
    /** How large the file is, where that is known. */
    size: Schema.optionalKey(Schema.Finite)
  }
) {
  override get message(): string {
    if (this.limit === undefined) return sentence("The file is too large for the server", this.messages)
    const size = this.size === undefined ? "is larger than" : `has ${this.size} bytes, more than`
    return `The file "${this.marker}" ${size} the ${this.limit} that are allowed: make it smaller, or raise \`maxBytes\``
  }
}

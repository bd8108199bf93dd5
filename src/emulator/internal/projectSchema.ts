/** The JSON Schema of project files, made from the schema that decodes them. */
import * as JsonSchema from "effect/JsonSchema"
import * as Schema from "effect/Schema"
import { Project } from "../Project.ts"

let made: JsonSchema.JsonSchema | undefined

export const projectJsonSchema = (): JsonSchema.JsonSchema => {
  if (made !== undefined) return made
  const document = JsonSchema.toDocumentDraft07(Schema.toJsonSchemaDocument(Project, { onExcessProperty: "error" }))
  made = {
    $schema: JsonSchema.META_SCHEMA_URI_DRAFT_07,
    title: "Project of the effect-oneentry emulator",
    ...document.schema,
    definitions: document.definitions
  }
  return made
}

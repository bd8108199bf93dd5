import { Effect, Option, Stream } from "effect"
import {
  AuthProvider,
  type AuthSchema,
  FieldValue,
  FileUploading,
  type FormSchema,
  type SignUpForm,
  Users
} from "effect-oneentry"
import { type ChangeEvent, useId, useState } from "react"
import { useAction, useLoaded } from "./hooks.ts"
import { sentence } from "./problems.ts"

const read = Users.Users.use((users) => users.getUser())

const signOut = () => AuthProvider.AuthProvider.use((auth) => auth.logout())

/** Uploads, telling how far it is, and then makes it the picture of the profile. */
const upload = (user: AuthSchema.UserEntity, picture: File, onProgress: (part: number) => void) =>
  Effect.gen(function* () {
    const files = yield* FileUploading.FileUploading
    const users = yield* Users.Users
    const uploaded = yield* files
      .uploadWithProgress(picture, { type: "page", entity: "user", id: user.id, width: 480 })
      .pipe(
        Stream.tap((event) =>
          Effect.sync(() => event._tag === "Sent" && onProgress(event.sent / Math.max(1, event.total ?? 0)))
        ),
        Stream.runLast
      )
    if (Option.isSome(uploaded) && uploaded.value._tag === "Uploaded") {
      yield* users.updateUser({ formData: FieldValue.image("picture", uploaded.value.files) })
    }
  })

const Picture = ({ onChanged, user }: { readonly user: AuthSchema.UserEntity; readonly onChanged: () => void }) => {
  const id = useId()
  const [part, setPart] = useState(0)
  const [state, run] = useAction((picture: File) =>
    Effect.tap(upload(user, picture, setPart), () => Effect.sync(onChanged))
  )
  const field = user.formData.find(({ marker }) => marker === "picture")
  const picture = field?.type === "image" ? field.value?.[0] : undefined
  const choose = ({ currentTarget }: ChangeEvent<HTMLInputElement>) => {
    const file = currentTarget.files?.[0]
    currentTarget.value = ""
    if (file === undefined) return
    setPart(0)
    run(file)
  }
  return (
    <div className="picture">
      {picture !== undefined ? (
        <img src={picture.downloadLink} alt="You, as others see you" width={96} height={96} />
      ) : (
        <span className="initial" aria-hidden="true">
          {user.identifier.slice(0, 1).toUpperCase()}
        </span>
      )}
      <div className="field">
        <label htmlFor={id}>{picture !== undefined ? "Change the picture" : "Add a picture"}</label>
        <input
          id={id}
          type="file"
          accept="image/*"
          onChange={choose}
          aria-describedby={state._tag === "Failed" ? `${id}-problem` : undefined}
        />
        <div role="alert" id={`${id}-problem`} className="problem">
          {state._tag === "Failed" ? sentence(state.error) : ""}
        </div>
        <output>
          {state._tag === "Running" ? (
            <label className="progress">
              Uploading… <progress value={part > 0 ? part : undefined} />
            </label>
          ) : state._tag === "Done" ? (
            "Uploaded."
          ) : (
            ""
          )}
        </output>
      </div>
    </div>
  )
}

/** A value in words: of choices their titles, of files nothing. */
const textOf = (value: unknown, attribute: FormSchema.FormAttribute): string =>
  Array.isArray(value)
    ? value.map((item) => textOf(item, attribute)).join(", ")
    : typeof value === "string"
      ? (attribute.listTitles.find((choice) => choice.value === value)?.title ?? value)
      : ""

const Facts = ({ form, user }: { readonly form: SignUpForm.SignUpForm; readonly user: AuthSchema.UserEntity }) => (
  <dl>
    <div>
      <dt>E-mail</dt>
      <dd>{user.identifier}</dd>
    </div>
    {form.form.attributes.map((attribute) => {
      const text = textOf(user.formData.find(({ marker }) => marker === attribute.marker)?.value, attribute)
      return text === "" ? null : (
        <div key={attribute.marker}>
          <dt>{attribute.title}</dt>
          <dd>{text}</dd>
        </div>
      )
    })}
  </dl>
)

export const Profile = ({ form }: { readonly form: SignUpForm.SignUpForm }) => {
  const [user, again] = useLoaded(read)
  const [leaving, leave] = useAction(signOut)
  return (
    <>
      {user._tag === "Done" ? (
        <>
          <Picture user={user.value} onChanged={again} />
          <Facts form={form} user={user.value} />
        </>
      ) : user._tag === "Failed" ? (
        <p role="alert">
          {sentence(user.error)}{" "}
          <button type="button" className="link" onClick={again}>
            Try again
          </button>
        </p>
      ) : (
        <output>One moment…</output>
      )}
      <button type="button" onClick={leave} aria-disabled={leaving._tag === "Running"}>
        Sign out
      </button>
      <p className="hint">Signs you out in every tab of this browser.</p>
    </>
  )
}

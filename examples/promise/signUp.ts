/** Registering a user with fields of every type, as the page of `signUp` has it. */
import type { IAuthFormData, OneEntry } from "effect-oneentry/promise"

export const minimal = ({ AuthProvider }: OneEntry) => {
  const body = {
    formIdentifier: "reg",
    authData: [
      {
        marker: "login",
        value: "example@oneentry.cloud"
      },
      {
        marker: "password",
        value: "12345"
      }
    ],
    formData: [
      {
        marker: "last_name",
        type: "string",
        value: "Name"
      }
    ],
    notificationData: {
      email: "example@oneentry.cloud",
      phonePush: ["+99999999999"],
      phoneSMS: "+99999999999"
    }
  }

  return AuthProvider.signUp("email", body)
}

const signUp = ({ AuthProvider }: OneEntry, formData: IAuthFormData | ReadonlyArray<IAuthFormData>) =>
  AuthProvider.signUp("email", {
    formIdentifier: "reg",
    authData: [
      {
        marker: "login",
        value: "test"
      },
      {
        marker: "password",
        value: "12345"
      }
    ],
    formData,
    notificationData: {
      email: "your-email@test.zone",
      phonePush: [],
      phoneSMS: "+19991234567"
    }
  })

/** Simple types: "string", "integer", "float". */
export const simple = (api: OneEntry) =>
  signUp(api, [
    {
      marker: "last_name",
      type: "string",
      value: "Fyodor Ivanov"
    }
  ])

/** One field instead of a list. */
export const single = (api: OneEntry) =>
  signUp(api, {
    marker: "last_name",
    type: "string",
    value: "Name"
  })

/** Types "date", "dateTime" and "time". */
export const date = (api: OneEntry) =>
  signUp(api, [
    {
      marker: "birthday",
      type: "date",
      value: {
        fullDate: "2024-05-07T21:02:00.000Z",
        formattedValue: "08-05-2024 00:02",
        formatString: "DD-MM-YYYY HH:mm"
      }
    }
  ])

/** Type "text": one of `htmlValue`, `plainValue` and `mdValue`. */
export const text = (api: OneEntry) =>
  signUp(api, [
    {
      marker: "about",
      type: "text",
      value: {
        htmlValue: "<p>This is me</p>"
      }
    }
  ])

/** Type "textWithHeader". */
export const textWithHeader = (api: OneEntry) =>
  signUp(api, [
    {
      marker: "about",
      type: "textWithHeader",
      value: {
        header: "Header",
        htmlValue: "<p>This is me</p>"
      }
    }
  ])

/** Types "image", "groupOfImages" and "file": with a `fileQuery` the file is uploaded first. */
export const image = (api: OneEntry, file: File) =>
  signUp(api, [
    {
      marker: "image",
      type: "image",
      value: [file],
      fileQuery: {
        type: "page",
        entity: "editor",
        id: 3492
      }
    }
  ])

/** Types "radioButton" and "list". */
export const list = (api: OneEntry) =>
  signUp(api, [
    {
      marker: "list",
      type: "list",
      value: ["1"]
    }
  ])

/** Type "entity" (nested list). */
export const entity = (api: OneEntry) =>
  signUp(api, [
    {
      marker: "entity",
      type: "entity",
      value: [2954, 2957]
    }
  ])

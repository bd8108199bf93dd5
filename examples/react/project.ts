/** The project of this example, for the emulator: what an admin panel would have defined. */
import type { Project } from "effect-oneentry/emulator"

const en = (title: string) => ({ en_US: { title } })
const extra = (marker: string, value: string) => ({ marker, type: "string", value })

export const project: Project.Input = {
  providers: [
    {
      identifier: "email",
      localizeInfos: en("E-mail"),
      formIdentifier: "reg",
      isCheckCode: true,
      config: { systemCodeOnlyNumbers: true, systemCodeTlsSec: 600 }
    }
  ],
  forms: [
    {
      identifier: "reg",
      type: "sign_in_up",
      localizeInfos: en("Registration"),
      attributes: [
        {
          marker: "email_reg",
          type: "string",
          localizeInfos: en("E-mail"),
          isLogin: true,
          validators: {
            requiredValidator: { strict: true, customErrorText: "Enter your e-mail address" },
            emailInspectionValidator: { customErrorText: "That is not an e-mail address" }
          }
        },
        {
          marker: "password_reg",
          type: "string",
          localizeInfos: en("Password"),
          isPassword: true,
          additionalFields: [extra("hint", "A short sentence is good")],
          validators: {
            requiredValidator: { strict: true, customErrorText: "Choose a password" },
            stringInspectionValidator: { stringMin: 8, customErrorText: "Use eight characters or more" }
          }
        },
        {
          marker: "name_reg",
          type: "string",
          localizeInfos: en("Name"),
          isSignUp: true,
          isSignUpRequired: true,
          validators: { requiredValidator: { strict: true, customErrorText: "What should we call you?" } }
        },
        {
          marker: "genre",
          type: "list",
          localizeInfos: en("Favourite shelf"),
          isSignUp: true,
          isSignUpRequired: true,
          multiselect: false,
          listTitles: [
            { title: "Novels", value: "novels", position: 1 },
            { title: "Poetry", value: "poetry", position: 2 },
            { title: "History", value: "history", position: 3 }
          ],
          validators: { requiredValidator: { strict: true, customErrorText: "Choose a shelf" } }
        },
        {
          marker: "letter",
          type: "radioButton",
          localizeInfos: en("A letter about new books"),
          isSignUp: true,
          isSignUpRequired: false,
          listTitles: [
            { title: "Every week", value: "weekly", position: 1 },
            { title: "Every month", value: "monthly", position: 2 },
            { title: "Never", value: "never", position: 3 }
          ]
        },
        { marker: "picture", type: "image", localizeInfos: en("Picture"), isSignUp: false }
      ]
    }
  ],
  events: [{ identifier: "auth" }],
  switches: { codePolicy: "reissue-window-429", retryAfter: true, notificationPhones: "refuse" }
}

/** The project of the contract suite. */
import { Project } from "effect-oneentry/emulator"

const required = { requiredValidator: { strict: true } }

const people = [
  { login: "ann@example.com", name: "Ann" },
  { login: "bob@example.com", name: "Bob" }
]

export const project: Project.Input = {
  ...Project.defaultProject,
  languages: ["en_US", "de_DE"],
  providers: [
    ...(Project.defaultProject.providers ?? []),
    {
      id: 2,
      identifier: "network",
      type: "oauth",
      config: { oauthAuthUrl: "https://network.example/authorize" },
      localizeInfos: { en_US: { title: "Network" } }
    }
  ],
  forms: [
    ...(Project.defaultProject.forms ?? []),
    {
      identifier: "contact_us",
      type: "data",
      localizeInfos: { en_US: { title: "Contact", successMessage: "Thank you" } },
      attributes: [
        { type: "string", marker: "name", position: 1, validators: required },
        { type: "date", marker: "day", position: 2 },
        { type: "file", marker: "cv", position: 3 }
      ],
      moduleFormConfigs: [{ id: 2, entityIdentifiers: [{ id: "blog" }] }]
    }
  ],
  users: people.map(({ login, name }) => ({
    provider: "email",
    login,
    password: "correct horse battery staple",
    isActive: true,
    formData: [
      { marker: "name_reg", type: "string", value: name },
      { marker: "phone_reg", type: "string", value: "+1" }
    ]
  })),
  permissions: [
    { operation: "getFormsDataByMarker", rule: "granted" },
    { operation: "deleteFile", rule: "granted" }
  ]
}

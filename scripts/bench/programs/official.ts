/** The same with the official SDK. */
import { defineOneEntry } from "oneentry"

const api = defineOneEntry(process.argv[2] ?? "", { token: "t" })
const result = await api.AuthProvider.auth("email", {
  authData: [
    { marker: "email_reg", value: "test@test.ru" },
    { marker: "password_reg", value: "12345678" }
  ]
})
console.log("userIdentifier" in result ? result.userIdentifier : result)
process.exit(0)

/** The user-registration scenario, on the Promise facade. */
// 1. Import oneEntry and define the address and the token
import { defineOneEntry } from "effect-oneentry/promise"

const emailReg = "your-user@email.com"

/** `prompt` asks the user for the code that came by mail. */
export const registration = async (
  PROJECT_URL: string,
  APP_TOKEN: string,
  prompt: (question: string) => string | Promise<string>
) => {
  // 2. Creating an API client
  const { AuthProvider, Forms } = defineOneEntry(PROJECT_URL, {
    token: APP_TOKEN
  })

  // 3. We get a registration form with custom fields for generating a frontend form
  const form = await Forms.getFormByMarker("reg")

  // 4. Preparing data for user registration and user registration
  const authData = [
    {
      marker: "email_reg",
      value: "your-user@email.com"
    },
    {
      marker: "password_reg",
      value: "123456"
    }
  ]
  const formData = [
    {
      marker: "name_reg",
      type: "string",
      value: "UserName"
    },
    {
      marker: "phone_reg",
      type: "string",
      value: "+18007986545"
    },
    {
      marker: "email_notification_reg",
      type: "string",
      value: emailReg
    }
  ]
  const notificationData = {
    email: emailReg,
    phonePush: [],
    phoneSMS: "+18007986545"
  }
  const registrationData = {
    formIdentifier: "reg",
    authData,
    formData,
    notificationData
  }
  const newUser = await AuthProvider.signUp("email", registrationData)

  // 5. Generate a confirmation code (sign-up has sent one already: this gives the error, as a value)
  const generateCode = await AuthProvider.generateCode("email", emailReg, "auth")

  // 6. The user enters the code
  const code = await prompt("Enter verification code:")

  // 7. User activation. An error is a value too, and as true as any object: so compare.
  const isCorrect = await AuthProvider.checkCode("email", emailReg, "1", code)
  const activated = isCorrect === true ? await AuthProvider.activateUser("email", emailReg, code) : false

  // 8. User authentication
  const authResponse = await AuthProvider.auth("email", {
    authData
  })
  return { form, newUser, generateCode, isCorrect, activated, authResponse }
}

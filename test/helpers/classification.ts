import {
  after,
  auth,
  before,
  files,
  forms,
  type Operation,
  type Rules,
  users
} from "../../src/internal/classification.ts"
import { authFirst, authRows, fileRows, formRows, userRows } from "../../src/internal/classification.ts"

/** The table of answers as one, in its order. */
export const table = [...authFirst, ...before, ...authRows, ...formRows, ...fileRows, ...userRows, ...after]

/** The part of it that an operation's endpoint holds. */
export const rulesOf = (operation: Operation): Rules => {
  switch (operation) {
    case "getAllForms":
    case "getFormByMarker":
    case "postFormsData":
    case "getFormsDataByMarker":
    case "updateFormsDataById":
    case "updateFormsDataStatusById":
    case "deleteFormsDataById":
      return forms
    case "upload":
    case "deleteFile":
    case "getFile":
      return files
    case "getUser":
    case "updateUser":
    case "archiveUser":
    case "deleteUser":
    case "addFCMToken":
    case "deleteFCMToken":
      return users
    default:
      return auth
  }
}

/**
 * A typed functional SDK for OneEntry's authentication, on Effect 4.
 *
 * @since 0.1.0
 */
export * as AuthError from "./AuthError.ts"
export * as AuthProvider from "./AuthProvider.ts"
export * as AuthSchema from "./AuthSchema.ts"
export * as ClientOptions from "./ClientOptions.ts"
export * as CodePolicy from "./CodePolicy.ts"
export * as DeviceMetadata from "./DeviceMetadata.ts"
export * as FetchClient from "./FetchClient.ts"
export * as FieldValue from "./FieldValue.ts"
export * as FileUploading from "./FileUploading.ts"
export * as Forms from "./Forms.ts"
export * as FormsData from "./FormsData.ts"
export * as FormSchema from "./FormSchema.ts"
export * as Metrics from "./Metrics.ts"
export * as OAuth from "./OAuth.ts"
export * as OneEntry from "./OneEntry.ts"
export * as OneEntryClient from "./OneEntryClient.ts"
export * as OneEntryError from "./OneEntryError.ts"
export * as Session from "./Session.ts"
export * as SessionLock from "./SessionLock.ts"
export * as Sessions from "./Sessions.ts"
export * as SignUpForm from "./SignUpForm.ts"
export * as TokenStorage from "./TokenStorage.ts"
export * as Users from "./Users.ts"

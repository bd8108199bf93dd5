/** For comparison: the auth client of Supabase. */
export { AuthClient } from "@supabase/auth-js"

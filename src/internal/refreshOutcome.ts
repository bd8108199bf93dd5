/** What the outcome of a refresh exchange does to the session: the table of SESSION.md, and nothing else. */

/** What became of the exchange. */
export type Outcome =
  /** 2xx that decodes. */
  | "rotated"
  /** 2xx that does not decode, has another content type, or is empty. */
  | "malformed"
  /** 400, 401 or 403 with the API's error envelope. */
  | "rejected"
  /** Any other answer: 408, 425, 429, 3xx, 5xx, or a 4xx that is not the API's word on this token. */
  | "refused"
  /** No answer: network, DNS, TLS, timeout. */
  | "lost"

/** What is known when the exchange has ended. */
export interface Circumstances {
  /** The access token can still be used: it has not ended, and no 401 was had with it. */
  readonly accessValid: boolean
  /** This refresh token was sent before, and that answer never came. */
  readonly inDoubt: boolean
  /** Nobody signed in, adopted, signed out or cleared meanwhile. */
  readonly generationHeld: boolean
  /** The storage still holds the session that was exchanged. */
  readonly storageHeld: boolean
}

/** What to do. */
export type Decision =
  /** Store the new pair and go on with it. */
  | { readonly _tag: "Commit" }
  /** Forget the new pair and tell the server so. */
  | { readonly _tag: "Discard" }
  /** Go on with what the storage holds. */
  | { readonly _tag: "Adopt" }
  /** Keep the session, never send this refresh token again. */
  | { readonly _tag: "Bury" }
  /** The session has come to its end. */
  | { readonly _tag: "Drop"; readonly reason: "Rejected" | "Ambiguous" }
  /** Keep the session, wait a while; the refresh token may have been spent where `inDoubt`. */
  | { readonly _tag: "Keep"; readonly inDoubt: boolean }
  /** The session that this was about is gone already. */
  | { readonly _tag: "Nothing" }

/** The table. */
export const decide = (outcome: Outcome, circumstances: Circumstances): Decision => {
  const { accessValid, generationHeld, inDoubt, storageHeld } = circumstances
  if (outcome === "rotated") {
    return generationHeld && storageHeld ? { _tag: "Commit" } : { _tag: "Discard" }
  }
  if (!generationHeld) return { _tag: "Nothing" }
  switch (outcome) {
    case "malformed":
    case "refused":
      return { _tag: "Keep", inDoubt }
    case "lost":
      return { _tag: "Keep", inDoubt: true }
    case "rejected":
      return !storageHeld
        ? { _tag: "Adopt" }
        : accessValid
          ? { _tag: "Bury" }
          : { _tag: "Drop", reason: inDoubt ? "Ambiguous" : "Rejected" }
  }
}

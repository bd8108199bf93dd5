/** The same with nothing. */
const answer = await fetch(`${process.argv[2]}/api/content/users-auth-providers/marker/email/users/auth`, {
  method: "POST",
  body: "{}"
})
console.log((await answer.json()).userIdentifier)
process.exit(0)

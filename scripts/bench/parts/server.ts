/**
 * The server of the benchmarks, in a process of its own. Access tokens that begin with `old` are refused; a refresh token
 * is good once, and using it again ends everything, as the real server has it. Prints its port.
 */
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as Fixtures from "../lib/fixtures.ts"

const refreshMillis = 50
const seconds = () => Math.floor(Date.now() / 1000)

let refreshes = 0
let refused = 0
let revoked = false
let count = 0
const spent = new Set<string>()

const server = http.createServer((request, response) => {
  const send = (status: number, body: string) => {
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
    response.end(body)
  }
  const unauthorized = () => {
    refused++
    send(401, '{"statusCode":401,"message":"Unauthorized"}')
  }
  const url = request.url ?? ""
  if (url.includes("/users/me")) {
    const authorization = request.headers.authorization ?? ""
    return revoked || authorization.startsWith("Bearer old") ? unauthorized() : send(200, Fixtures.profile)
  }
  let text = ""
  request
    .setEncoding("utf8")
    .on("data", (chunk) => (text += chunk))
    .on("end", () => {
      if (url === "/stats") return send(200, JSON.stringify({ refreshes, refused, revoked }))
      if (url === "/reset") {
        refreshes = refused = 0
        revoked = false
        return send(200, "{}")
      }
      if (url.includes("/refresh")) {
        refreshes++
        const { refreshToken } = JSON.parse(text)
        if (spent.has(refreshToken)) revoked = true
        spent.add(refreshToken)
        return setTimeout(() => {
          if (revoked) return unauthorized()
          send(200, Fixtures.pair(Fixtures.accessToken(seconds(), ++count), `refresh-${count}`))
        }, refreshMillis)
      }
      count++
      // The first pair of a sign-in is one that the server takes for expired when it is asked to.
      const access = Fixtures.accessToken(seconds(), count)
      send(200, Fixtures.pair(url.includes("marker/stale") ? `old${access}` : access, `refresh-${count}`))
    })
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", 4096, () => console.log((server.address() as AddressInfo).port))
process.on("disconnect", () => process.exit(0))

/** A request as the endpoints see it: that of Effect's router, or one of `node:http` that never was one. */
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"

export interface Arrived {
  readonly method: string
  /** The path and the query. */
  readonly url: string
  readonly header: (name: string) => string | undefined
  /** The length of all headers together. */
  readonly headerBytes: () => number
  /** The body, where all of it is there; otherwise it is read through `source`. */
  readonly bytes: Uint8Array | undefined
  /** The same request as Effect's. */
  readonly source: () => HttpServerRequest.HttpServerRequest
}

class Routed implements Arrived {
  private readonly request: HttpServerRequest.HttpServerRequest
  readonly url: string
  constructor(request: HttpServerRequest.HttpServerRequest) {
    this.request = request
    this.url = request.url
  }
  get method(): string {
    return this.request.method
  }
  get bytes(): Uint8Array | undefined {
    const { source } = this.request
    return HttpClientRequest.isHttpClientRequest(source) && source.body._tag === "Uint8Array"
      ? source.body.body
      : undefined
  }
  header(name: string): string | undefined {
    return this.request.headers[name]
  }
  headerBytes(): number {
    const { headers } = this.request
    let bytes = 0
    for (const name in headers) bytes += name.length + (headers[name] ?? "").length
    return bytes
  }
  source(): HttpServerRequest.HttpServerRequest {
    return this.request
  }
}

export const arrivedAs = (request: HttpServerRequest.HttpServerRequest): Arrived => new Routed(request)

// What a reader makes of octets, as a list. Called by tests of protocols.
import type { RequestReader } from "../wire/protocol.ts";

export function requestsIn<Request>(reader: RequestReader<Request>, octets: Uint8Array): Request[] {
  const requests: Request[] = [];
  reader.push(Buffer.from(octets), (request) => requests.push(request));
  return requests;
}

/** The client has said all. */
export function requestsAtEnd<Request>(reader: RequestReader<Request>): Request[] {
  const requests: Request[] = [];
  reader.end?.((request) => requests.push(request));
  return requests;
}

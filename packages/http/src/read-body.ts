// The body of a request, up to a limit. Called by the API and by the pages with forms.

export type Body =
  | { readonly kind: "whole"; readonly octets: Buffer }
  | { readonly kind: "too-large" }
  /** The client went away, or was too slow. */
  | { readonly kind: "broken-off" };

/** Content-Length is only what the client says, and a chunked body has none: what comes is counted. */
export async function readBody(request: Request, limit: number): Promise<Body> {
  if (Number(request.headers.get("content-length")) > limit) return { kind: "too-large" };
  if (request.body === null) return { kind: "whole", octets: Buffer.alloc(0) };
  const reader = request.body.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { kind: "whole", octets: Buffer.concat(parts) };
      size += value.length;
      // Not cancelled: that ends the connection before the client has its answer.
      if (size > limit) return { kind: "too-large" };
      parts.push(value);
    }
  } catch {
    return { kind: "broken-off" };
  } finally {
    reader.releaseLock();
  }
}

/** Whether something comes behind the header of this request. RFC 9112 §6. */
export function hasBody({ headers }: Request): boolean {
  return headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0";
}

// The body of a request, up to a limit. Called by the API and by the pages with forms.

export type Body =
  | { readonly kind: "whole"; readonly octets: Buffer }
  | { readonly kind: "too-large" }
  /** The client went away, or was too slow. */
  | { readonly kind: "broken-off" };

export interface BodyLimits {
  readonly octets: number;
  /** For all of it; without it the time of the whole request. */
  readonly ms?: number | undefined;
}

/** Content-Length is only what the client says, and a chunked body has none: what comes is counted. */
export async function readBody(request: Request, { octets: limit, ms }: BodyLimits): Promise<Body> {
  if (Number(request.headers.get("content-length")) > limit) return { kind: "too-large" };
  if (request.body === null) return { kind: "whole", octets: Buffer.alloc(0) };
  const reader = request.body.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  const late = Promise.withResolvers<never>();
  const timer = ms === undefined ? undefined : setTimeout(() => late.reject(new Error("too slow")), ms);
  try {
    for (;;) {
      const { done, value } = await (ms === undefined
        ? reader.read()
        : Promise.race([reader.read(), late.promise]));
      if (done) return { kind: "whole", octets: Buffer.concat(parts) };
      size += value.length;
      // Not cancelled: that ends the connection before the client has its answer.
      if (size > limit) return { kind: "too-large" };
      parts.push(value);
    }
  } catch {
    return { kind: "broken-off" };
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
}

/** Whether something comes behind the header of this request. RFC 9112 §6. */
export function hasBody({ headers }: Request): boolean {
  return headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0";
}

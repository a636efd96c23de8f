// Gets an MTA-STS policy file (RFC 8461 §3.3): HTTPS with a good certificate, no redirects, little and soon. Called by
// sts-policies.ts with names that strangers choose, so it connects only where SMTP would.
import { request } from "node:https";
import type { MxResolver } from "../next-hops.ts";
import type { PolicyAnswer } from "./sts-policies.ts";

export interface FetchPolicyOptions {
  readonly resolver: Pick<MxResolver, "addresses">;
  /** As for MX hosts: not into the private networks. */
  readonly mayConnect: (address: string) => boolean;
  /** PEM certificates to trust in place of the system's. */
  readonly ca?: string | undefined;
  /** Default: 443. */
  readonly port?: number;
}

/** §3.3 suggests both. */
const SECONDS = 60;
const MAX_OCTETS = 64 * 1024;

export function createFetchPolicy(options: FetchPolicyOptions): (host: string) => Promise<PolicyAnswer> {
  return async (host) => {
    const answer = await options.resolver.addresses(host);
    if (answer.kind === "failed") return answer;
    const address = answer.addresses.find(options.mayConnect);
    if (address === undefined) return failed(host, "no address that may be connected to");
    return fetchFrom(address, host, options);
  };
}

function fetchFrom(
  address: string,
  host: string,
  { ca, port = 443 }: FetchPolicyOptions,
): Promise<PolicyAnswer> {
  return new Promise((resolve) => {
    const fail = (cause: string): void => {
      resolve(failed(host, cause));
      asked.destroy();
    };
    const asked = request(
      {
        host: address,
        port,
        path: "/.well-known/mta-sts.txt",
        // The name that the certificate must be good for, too.
        servername: host,
        headers: { host },
        agent: false,
        signal: AbortSignal.timeout(SECONDS * 1000),
        ...(ca === undefined ? {} : { ca }),
      },
      (response) => {
        const type = String(response.headers["content-type"] ?? "");
        // §3.3: a redirect is not followed, so it is like any other status.
        if (response.statusCode !== 200) return fail(`status ${response.statusCode}`);
        if (!/^text\/plain *(?:;|$)/i.test(type)) return fail("not text/plain");
        const pieces: Buffer[] = [];
        let octets = 0;
        response.on("data", (piece: Buffer) => {
          octets += piece.length;
          if (octets > MAX_OCTETS) return fail(`more than ${MAX_OCTETS} octets`);
          pieces.push(piece);
        });
        response.on("end", () => resolve({ kind: "text", text: Buffer.concat(pieces).toString("utf8") }));
        response.on("error", (error) => fail(error.message));
      },
    );
    asked.on("error", (error) => fail(error.message));
    asked.end();
  });
}

function failed(host: string, cause: string): PolicyAnswer {
  return { kind: "failed", cause: `https://${host}/.well-known/mta-sts.txt: ${cause}` };
}

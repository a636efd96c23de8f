// DNS as an MxResolver. Called by the composition root. The one other place that looks names up is nodemailer, for the
// host names of routes and smart hosts: those may be in the hosts file.
import { Resolver } from "node:dns/promises";
import type { MxResolver } from "./next-hops.ts";
import type { TxtAnswer } from "./outbound/sts-policies.ts";

const TIMEOUT_MS = 5_000;
const TRIES = 2;

/** @param servers `address:port` of each; without them, the system's */
export function createMxResolver(servers: readonly string[] = []): MxResolver {
  const resolver = createResolver(servers);
  return {
    async mx(domain) {
      try {
        return { kind: "records", records: await resolver.resolveMx(domain) };
      } catch (error) {
        const code = dnsCode(error);
        if (code === NO_DATA) return { kind: "records", records: [] };
        if (code === NO_NAME) return { kind: "no-such-domain" };
        return { kind: "failed", cause: `DNS: ${code} for the MX of ${domain}` };
      }
    },

    async addresses(host) {
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
      const addresses = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
      const codes = answers.map((answer) =>
        answer.status === "rejected" ? dnsCode(answer.reason) : NO_DATA,
      );
      const failed = codes.find((code) => code !== NO_DATA && code !== NO_NAME);
      // Half an answer is enough to deliver, and not enough to say that there is no such host.
      if (addresses.length > 0 || failed === undefined) return { kind: "addresses", addresses };
      return { kind: "failed", cause: `DNS: ${failed} for the address of ${host}` };
    },
  };
}

/** TXT records, for MTA-STS. @param servers as above */
export function createTxtLookup(servers: readonly string[] = []): (name: string) => Promise<TxtAnswer> {
  const resolver = createResolver(servers);
  return async (name) => {
    try {
      const records = await resolver.resolveTxt(name);
      return { kind: "texts", texts: records.map((strings) => strings.join("")) };
    } catch (error) {
      const code = dnsCode(error);
      if (code === NO_DATA || code === NO_NAME) return { kind: "texts", texts: [] };
      return { kind: "failed", cause: `DNS: ${code} for the TXT of ${name}` };
    }
  };
}

function createResolver(servers: readonly string[]): Resolver {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
}

/** Node's words for "the name exists, without such a record" and for NXDOMAIN. All others say nothing about the name. */
const NO_DATA = "ENODATA";
const NO_NAME = "ENOTFOUND";

function dnsCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

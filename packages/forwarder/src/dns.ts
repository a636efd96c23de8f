// The system's DNS as an MxResolver. The only file that asks it. Called by the composition root.
import { Resolver } from "node:dns/promises";
import type { MxResolver } from "./next-hops.ts";

const TIMEOUT_MS = 5_000;
const TRIES = 2;

export function createMxResolver(): MxResolver {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  return {
    async mx(domain) {
      try {
        return { kind: "records", records: await resolver.resolveMx(domain) };
      } catch (error) {
        const code = dnsCode(error);
        if (code === "ENODATA") return { kind: "records", records: [] };
        if (code === "ENOTFOUND") return { kind: "no-such-domain" };
        return { kind: "failed", cause: `DNS: ${code} for the MX of ${domain}` };
      }
    },

    async hasAddress(domain) {
      const answers = await Promise.allSettled([resolver.resolve4(domain), resolver.resolve6(domain)]);
      if (answers.some((answer) => answer.status === "fulfilled")) return true;
      const codes = answers.map((answer) => (answer.status === "rejected" ? dnsCode(answer.reason) : ""));
      const failed = codes.find((code) => code !== "ENODATA" && code !== "ENOTFOUND");
      return failed === undefined ? false : { failed: `DNS: ${failed} for the address of ${domain}` };
    },
  };
}

function dnsCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

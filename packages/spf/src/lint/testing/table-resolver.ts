// DNS from a table, for tests of the linter. A name that is not there is NXDOMAIN.
import type { DnsAnswer, SpfResolver } from "../../resolver.ts";

export type Zone = Readonly<
  Record<
    string,
    | {
        readonly txt?: readonly string[];
        readonly a?: readonly string[];
        readonly aaaa?: readonly string[];
        readonly mx?: readonly string[];
      }
    | "SERVFAIL"
  >
>;

export function tableResolver(zone: Zone): SpfResolver {
  const lookup =
    (type: "txt" | "a" | "aaaa" | "mx") =>
    (name: string): DnsAnswer<string> => {
      const found = zone[name];
      if (found === undefined) return { kind: "no-such-name" };
      if (found === "SERVFAIL") return { kind: "failed", cause: "SERVFAIL" };
      return { kind: "records", records: found[type] ?? [] };
    };
  return {
    txt: lookup("txt"),
    a: lookup("a"),
    aaaa: lookup("aaaa"),
    mx(name) {
      const answer = lookup("mx")(name);
      if (answer.kind !== "records") return answer;
      const records = answer.records.map((exchange, index) => ({ exchange, priority: 10 * (index + 1) }));
      return { kind: "records", records };
    },
    ptr: () => ({ kind: "no-such-name" }),
  };
}

// DNS in memory for tests of SPF: each name with lines such as `A 192.0.2.1`, `MX 10 mx.example`, `TXT v=spf1 -all`,
// `CNAME other.example`, `SERVFAIL`. `NODATA` is a name without records.
import type { DnsAnswer, SpfResolver } from "../resolver.ts";

export type Zone = Readonly<Record<string, readonly string[]>>;

type Type = "TXT" | "A" | "AAAA" | "MX" | "PTR";

export interface TestResolver extends SpfResolver {
  /** `TXT d.example`, in order. */
  readonly asked: readonly string[];
}

/** @param later answers come as promises */
export function resolverOf(zone: Zone, { later = false } = {}): TestResolver {
  const names = new Map(Object.entries(zone).map(([name, lines]) => [name.toLowerCase(), lines]));
  const asked: string[] = [];
  const look =
    <T>(type: Type, value: (data: string) => T) =>
    (name: string): DnsAnswer<T> | Promise<DnsAnswer<T>> => {
      asked.push(`${type} ${name}`);
      const answer = find(names, type, name, value);
      return later ? Promise.resolve(answer) : answer;
    };
  const text = (data: string) => data;
  return {
    asked,
    txt: look("TXT", text),
    a: look("A", text),
    aaaa: look("AAAA", text),
    ptr: look("PTR", text),
    mx: look("MX", (data) => {
      const space = data.indexOf(" ");
      return { priority: Number(data.slice(0, space)), exchange: data.slice(space + 1) };
    }),
  };
}

function find<T>(
  names: ReadonlyMap<string, readonly string[]>,
  type: Type,
  name: string,
  value: (data: string) => T,
): DnsAnswer<T> {
  let lines = names.get(name);
  for (let hops = 0; lines?.[0]?.startsWith("CNAME ") === true; hops += 1) {
    if (hops === 8) return { kind: "failed", cause: "a chain of aliases without end" };
    lines = names.get(lines[0].slice("CNAME ".length));
  }
  if (lines === undefined) return { kind: "no-such-name" };
  if (lines.includes("SERVFAIL") || lines.includes(`${type} SERVFAIL`)) {
    return { kind: "failed", cause: "SERVFAIL" };
  }
  const own = lines.filter((line) => line.startsWith(`${type} `));
  return { kind: "records", records: own.map((line) => value(line.slice(type.length + 1))) };
}

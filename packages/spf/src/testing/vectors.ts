// Vectors in the format of the openspf suites: YAML documents, each with tests and the zone that they are about.
import { parseAllDocuments } from "yaml";
import type { SpfQuestion, SpfResult } from "../spf.ts";
import type { Zone } from "./zone.ts";

export interface Vector {
  /** `§5.2 include-fail: …` */
  readonly name: string;
  readonly zone: Zone;
  readonly question: SpfQuestion;
  readonly results: readonly SpfResult[];
  readonly explanation?: string;
}

interface Document {
  readonly tests: Readonly<Record<string, VectorTest>>;
  readonly zonedata: Readonly<Record<string, readonly (string | Readonly<Record<string, unknown>>)[]>>;
}

interface VectorTest {
  readonly spec: string;
  readonly helo: string;
  readonly host: string;
  readonly mailfrom: string;
  readonly result: SpfResult | readonly SpfResult[];
  readonly explanation?: string;
}

export function readVectors(yaml: string): Vector[] {
  const documents = parseAllDocuments(yaml).map((document) => document.toJS() as Document);
  return documents.flatMap(({ tests, zonedata }) => {
    const zone = Object.fromEntries(Object.entries(zonedata).map(([name, of]) => [name, of.map(line)]));
    return Object.entries(tests).map(
      ([name, { spec, helo, host, mailfrom, result, explanation }]): Vector => {
        const section = /^\d/.test(spec) ? `§${spec}` : spec.replace(/^(RFC \d+) /, "$1 §");
        return {
          name: `${section} ${name.replaceAll("-", " ")}`,
          zone,
          question: { client: host, helo, sender: mailfrom },
          results: [result].flat(),
          ...(explanation !== undefined && { explanation }),
        };
      },
    );
  });
}

/** `{MX: [10, mx.example]}` to `MX 10 mx.example`; parts of a TXT record are joined. */
function line(record: string | Readonly<Record<string, unknown>>): string {
  if (typeof record === "string") return "SERVFAIL";
  const [[type, data] = ["NODATA", ""]] = Object.entries(record);
  return `${type} ${Array.isArray(data) ? data.join(type === "TXT" ? "" : " ") : data}`;
}

// JSON of a request as a value. Called by api.ts. RFC 8259, and of I-JSON (RFC 7493) that no member stands twice: which one
// counts is answered differently by different readers.

export type ReadJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly fault: JsonFault };

/** As a problem says it. */
export interface JsonFault {
  readonly detail: string;
  readonly hint: string;
  readonly field?: string;
}

/** Requests are two deep. 500 kB of brackets take JSON.parse a tenth of a second, in which nothing else is done. */
const MAX_DEPTH = 8;
/** Of names that a client made up, in an answer. */
const MAX_NAME = 64;

export function readJson(octets: Uint8Array): ReadJson {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch {
    return { ok: false, fault: NOT_UTF_8 };
  }
  const fault = faultOf(text);
  if (fault) return { ok: false, fault };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, fault: NO_JSON };
  }
}

/** Too deep, or a member twice: seen without recursion, before anything is built. Whether it is JSON is seen later. */
function faultOf(text: string): JsonFault | undefined {
  /** Names so far of each object that is open; undefined of arrays. */
  const open: (Set<string> | undefined)[] = [];
  let nameNext = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === "{" || sign === "[") {
      if (open.length === MAX_DEPTH) return TOO_DEEP;
      open.push(sign === "{" ? new Set() : undefined);
      nameNext = sign === "{";
    } else if (sign === "}" || sign === "]") {
      open.pop();
      nameNext = false;
    } else if (sign === ",") {
      nameNext = open.at(-1) !== undefined;
    } else if (sign === '"') {
      const end = endOfString(text, at);
      const names = open.at(-1);
      if (nameNext && names) {
        const name = nameIn(text.slice(at, end + 1));
        if (names.has(name)) return { ...TWICE, field: name.slice(0, MAX_NAME) };
        names.add(name);
      }
      nameNext = false;
      at = end;
    }
  }
  return undefined;
}

const NOT_UTF_8: JsonFault = {
  detail: "The body is not UTF-8",
  hint: "encode the text of the body as UTF-8",
};
const NO_JSON: JsonFault = {
  detail: "The body is not JSON",
  hint: "have a library write it: JSON.stringify, json.dumps, json_encode",
};
const TOO_DEEP: JsonFault = {
  detail: "The JSON of the body is nested too deep",
  hint: "what a body has is in /v1/openapi.json",
};
const TWICE: JsonFault = { detail: "A member stands twice in the JSON", hint: "give it once" };

/** Of its closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

/** "\u0074o" is "to". */
function nameIn(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}

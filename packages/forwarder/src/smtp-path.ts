// MAIL FROM and RCPT TO: the path and the parameters behind it. RFC 5321 §4.1.1.2, §4.1.1.3, §4.1.2. Called by
// front/library-handlers.ts.

export type PathCommand =
  | {
      readonly ok: true;
      /** Without angle brackets and source route, quotes as they came. */
      readonly path: string;
      /** Keywords in upper case. A keyword without value is `true`. */
      readonly parameters: ReadonlyMap<string, string | true>;
      /** A keyword that was given twice. */
      readonly duplicate?: string;
    }
  | { readonly ok: false };

const NOT_OK: PathCommand = { ok: false };
const PARAMETER = /^[A-Za-z0-9][A-Za-z0-9-]*$/;

/** @param verb `mail from` or `rcpt to` */
export function parsePathCommand(verb: string, command: string): PathCommand {
  const colon = command.indexOf(":");
  if (colon < 0 || withoutBlanks(command.slice(0, colon)).toLowerCase() !== verb.toLowerCase()) return NOT_OK;
  const rest = withoutBlanks(command.slice(colon + 1));
  const end = endOfPath(rest);
  if (end < 0) return NOT_OK;
  const behind = rest.slice(end + 1);
  if (behind !== "" && !behind.startsWith(" ")) return NOT_OK;
  return withParameters(withoutSourceRoute(rest.slice(1, end)), behind);
}

/** Spaces and tabs at both ends. `trim` would take what Unicode calls a blank, too. */
function withoutBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charAt(from))) from++;
  while (to > from && isBlank(text.charAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(char: string): boolean {
  return char === " " || char === "\t";
}

/** The closing bracket; one inside quotes does not count. */
function endOfPath(text: string): number {
  if (!text.startsWith("<")) return -1;
  let quoted = false;
  for (let at = 1; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"') quoted = !quoted;
    else if (char === "\\" && quoted) at++;
    else if (char === ">" && !quoted) return at;
    else if (char === "<" && !quoted) return -1;
  }
  return -1;
}

/** RFC 5321 appendix C: `@relay,@relay:user@domain` must be taken, and the route ignored. */
function withoutSourceRoute(path: string): string {
  if (!path.startsWith("@")) return path;
  const colon = path.indexOf(":");
  return colon < 0 ? path : path.slice(colon + 1);
}

function withParameters(path: string, text: string): PathCommand {
  const parameters = new Map<string, string | true>();
  let duplicate: string | undefined;
  for (const parameter of text.split(" ").filter((part) => part !== "")) {
    const equals = parameter.indexOf("=");
    const keyword = (equals < 0 ? parameter : parameter.slice(0, equals)).toUpperCase();
    if (!PARAMETER.test(keyword)) return NOT_OK;
    if (parameters.has(keyword)) duplicate = keyword;
    parameters.set(keyword, equals < 0 ? true : parameter.slice(equals + 1));
  }
  return { ok: true, path, parameters, ...(duplicate ? { duplicate } : {}) };
}

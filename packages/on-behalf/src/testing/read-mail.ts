// A reader of composed mail that shares no code with the composer: RFC 5322 unfolding, RFC 2047 words, RFC 2045 bodies, and
// multipart bodies of one level. Strict: what a composer must not write throws. For tests.

export interface ReadMail {
  /** In their order, names as written, unfolded. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Decoded bodies by type: `text/plain`, `text/html`. */
  readonly parts: ReadonlyMap<string, string>;
}

export function readMail(message: Buffer): ReadMail {
  // Octets one by one: UTF-8 is decoded where it belongs to a value.
  const text = message.toString("latin1");
  if (/\r(?!\n)|(?<!\r)\n/.test(text)) throw new Error("a line end is not CRLF");
  const { fields, body } = splitEntity(text);
  const { boundary } = contentType(fields);
  const entities = boundary === undefined ? [{ fields, body }] : partsOf(body, boundary).map(splitEntity);
  return {
    fields,
    parts: new Map(
      entities.map((entity) => [contentType(entity.fields).type, decodedBody(entity.fields, entity.body)]),
    ),
  };
}

/** The only field of a name, with its encoded words decoded. */
export function fieldOf(mail: ReadMail, name: string): string | undefined {
  const value = rawFieldOf(mail, name);
  return value === undefined ? undefined : decodedWords(value);
}

/** The only field of a name as it is written: for addresses, in which RFC 2047 §5 has no encoded words. */
export function rawFieldOf(mail: ReadMail, name: string): string | undefined {
  const values = mail.fields.filter(([one]) => one.toLowerCase() === name.toLowerCase());
  if (values.length > 1) throw new Error(`${values.length} fields ${name}`);
  return values[0]?.[1];
}

export function fieldNames(mail: ReadMail): readonly string[] {
  return mail.fields.map(([name]) => name);
}

/** `"a name" <addr>`, or an address alone: exactly one. */
export function addressIn(value: string): { readonly name: string; readonly address: string } {
  const angle =
    /^(?:"((?:[^"\\]|\\.)*)"|([^"<>,;:]*?))[ \t]*<([^<>\t ]+|"(?:[^"\\]|\\.)*"@[^<>\t ]+)>$/s.exec(value);
  if (angle)
    return { name: (angle[1]?.replace(/\\(.)/gs, "$1") ?? angle[2] ?? "").trim(), address: angle[3] ?? "" };
  if (/^(?:[^\t "<>,;:]+|"(?:[^"\\]|\\.)*")@[^\t "<>,;:]+$/.test(value)) return { name: "", address: value };
  throw new Error(`not exactly one address: ${value}`);
}

interface Entity {
  readonly fields: ReadMail["fields"];
  readonly body: string;
}

function splitEntity(text: string): Entity {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) throw new Error("the header has no end");
  const fields: [string, string][] = [];
  for (const line of text.slice(0, end).split("\r\n")) {
    if (line.length > 998) throw new Error("a line of the header has more than 998 octets");
    const last = fields.at(-1);
    if (/^[ \t]/.test(line)) {
      if (!last || /^[ \t]*$/.test(line))
        throw new Error("a continuation that continues nothing, or is blank");
      last[1] += line;
      continue;
    }
    const field = /^([!-9;-~]+):(.*)$/s.exec(line);
    if (!field) throw new Error(`no field: ${JSON.stringify(line)}`);
    fields.push([field[1] ?? "", field[2] ?? ""]);
  }
  return {
    fields: fields.map(([name, value]) => [
      name,
      Buffer.from(value.replace(/^[ \t]+|[ \t]+$/g, ""), "latin1").toString("utf8"),
    ]),
    body: text.slice(end + 4),
  };
}

function contentType(fields: ReadMail["fields"]): { readonly type: string; readonly boundary?: string } {
  const value = fields.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "text/plain";
  const boundary = /boundary="?([^";]+)"?/.exec(value)?.[1];
  return {
    type: (value.split(";")[0] ?? "").trim().toLowerCase(),
    ...(boundary !== undefined && { boundary }),
  };
}

function partsOf(body: string, boundary: string): readonly string[] {
  const [, ...rest] = `\r\n${body}`.split(`\r\n--${boundary}`);
  if (!rest.at(-1)?.startsWith("--")) throw new Error("the last part has no end");
  return rest.slice(0, -1).map((part) => part.slice(2));
}

function decodedBody(fields: ReadMail["fields"], body: string): string {
  const encoding = fields.find(([name]) => name.toLowerCase() === "content-transfer-encoding")?.[1];
  return Buffer.from(octetsOf(encoding?.toLowerCase() ?? "7bit", body), "latin1").toString("utf8");
}

function octetsOf(encoding: string, body: string): string {
  if (encoding === "base64") return Buffer.from(body, "base64").toString("latin1");
  if (encoding === "quoted-printable") return unquoted(body.replace(/=[ \t]*\r\n/g, ""), "=");
  if (encoding === "7bit" && /[^\0-\x7f]/.test(body)) throw new Error("7bit with other octets");
  return body;
}

function unquoted(text: string, mark: string): string {
  return text.replace(new RegExp(`${mark}([0-9A-Fa-f]{2})`, "g"), (_, hex) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
}

function decodedWords(value: string): string {
  // RFC 2047 §6.2: white space between two encoded words is none.
  const joined = value.replace(/(=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=)\s+(?==\?)/g, "$1");
  let octets = "";
  let out = "";
  const flush = () => {
    out += Buffer.from(octets, "latin1").toString("utf8");
    octets = "";
  };
  for (const piece of joined.split(/(=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=)/)) {
    const word = /^=\?utf-8\?([BbQq])\?([^?\s]*)\?=$/i.exec(piece);
    if (!word) {
      flush();
      out += piece;
    } else if (word[1]?.toUpperCase() === "B") {
      octets += Buffer.from(word[2] ?? "", "base64").toString("latin1");
    } else {
      octets += unquoted((word[2] ?? "").replaceAll("_", " "), "=");
    }
  }
  flush();
  return out;
}

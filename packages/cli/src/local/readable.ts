// What a person reads of a message: its first plain text, decoded. For the inbox of `homing local` alone, whose mail is of
// this machine; a message that it cannot take apart is shown as it is. Called by loopback.ts.

/** Deeper than any mail program nests. */
const MAX_DEPTH = 5;

export function readableText(message: string): string {
  return (firstText(message, 0) ?? message).replaceAll("\r\n", "\n");
}

function firstText(entity: string, depth: number): string | undefined {
  const end = entity.indexOf("\r\n\r\n");
  if (end < 0 || depth > MAX_DEPTH) return undefined;
  const header = entity.slice(0, end).replace(/\r\n[ \t]/g, " ");
  const body = entity.slice(end + 4);
  const type = field(header, "content-type") ?? "text/plain";
  if (!/^multipart\//i.test(type)) {
    if (!/^text\/plain\b/i.test(type)) return undefined;
    return decoded(body, field(header, "content-transfer-encoding") ?? "7bit");
  }
  const boundary = /boundary="?([^";]{1,100})/i.exec(type)?.[1];
  if (boundary === undefined) return undefined;
  for (const part of `\r\n${body}`.split(`\r\n--${boundary}`).slice(1)) {
    const text = firstText(part.slice(part.indexOf("\r\n") + 2), depth + 1);
    if (text !== undefined) return text;
  }
  return undefined;
}

function field(header: string, name: string): string | undefined {
  const line = header.split("\r\n").find((text) => text.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

/** @param body octets, as UTF-8 */
function decoded(body: string, encoding: string): string {
  switch (encoding.toLowerCase()) {
    case "base64":
      return Buffer.from(body, "base64").toString("utf8");
    case "quoted-printable": {
      const octets = body
        .replace(/=[ \t]*\r\n/g, "")
        .replace(/=([0-9A-F]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
      return Buffer.from(octets, "latin1").toString("utf8");
    }
    default:
      return body;
  }
}

// The octets of a message: what may not be in it, its header block, and fields put on top. The message itself is
// never parsed and written again: DKIM signatures cover its bytes.

const NUL = 0;
const LF = 0x0a;
const CR = 0x0d;

/**
 * Names what makes a message unfit for forwarding, or nothing. Some receivers end DATA at a bare LF or CR, so that
 * what follows runs as commands of ours (SMTP smuggling); NUL and both are forbidden by RFC 5321 §2.3.8 and RFC 5322 §4.
 */
export function forbiddenOctet(message: Buffer): "a bare CR" | "a bare LF" | "a NUL" | undefined {
  for (let at = message.indexOf(LF); at >= 0; at = message.indexOf(LF, at + 1)) {
    if (message[at - 1] !== CR) return "a bare LF";
  }
  for (let at = message.indexOf(CR); at >= 0; at = message.indexOf(CR, at + 1)) {
    if (message[at + 1] !== LF) return "a bare CR";
  }
  return message.includes(NUL) ? "a NUL" : undefined;
}

/** How often a field stands in the header block. Linear, and it stops at the empty line. */
export function countFields(message: Buffer, name: string): number {
  const wanted = `${name.toLowerCase()}:`;
  let count = 0;
  for (const line of headerLines(message)) {
    if (line.slice(0, wanted.length).toLowerCase() === wanted) count++;
  }
  return count;
}

/** Puts header fields (each ends with CRLF) on top; every byte below stays what and where it was. */
export function prependFields(message: Buffer, fields: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from(fields.join(""), "utf8"), message]);
}

function* headerLines(message: Buffer): Generator<string> {
  let from = 0;
  while (from < message.length) {
    const end = message.indexOf("\r\n", from);
    const until = end < 0 ? message.length : end;
    if (until === from) return;
    yield message.toString("latin1", from, until);
    from = until + 2;
  }
}

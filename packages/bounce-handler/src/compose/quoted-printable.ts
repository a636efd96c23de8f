// Quoted-printable (RFC 2045 §6.7), for the parts of a DSN that are not plain ASCII. Pure. Called by returned-part.ts.

const MAX_LINE = 76;
const CRLF = "\r\n";

/** @param octets with CRLF line ends, which stay; what it makes is ASCII with CRLF line ends */
export function quotedPrintable(octets: Buffer): string {
  return octets
    .toString("latin1")
    .split(CRLF)
    .map((line) => softLines(Array.from(line, (octet) => encodedOctet(octet))))
    .join(CRLF);
}

function encodedOctet(octet: string): string {
  return /[!-<>-~ ]/.test(octet) ? octet : escaped(octet);
}

function escaped(octet: string): string {
  return `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/** Lines of at most 76 characters; blanks at their ends would be cut by servers on the way. */
function softLines(octets: readonly string[]): string {
  const lines: string[] = [];
  let line = "";
  for (const [at, octet] of octets.entries()) {
    const isLast = at === octets.length - 1;
    const written = isLast && octet === " " ? escaped(octet) : octet;
    if (line.length + written.length > MAX_LINE - (isLast ? 0 : 1)) {
      lines.push(`${line}=`);
      line = "";
    }
    line += written;
  }
  return [...lines, line].join(CRLF);
}

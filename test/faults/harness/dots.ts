// Dots at line starts (RFC 5321 §4.5.2), for messages of any size. Called by sink.ts and client.ts.

/** With the final dot behind. Lines of `message` end with CRLF. */
export function stuffed(message: Buffer): Buffer {
  const text = message.toString("latin1").replaceAll("\r\n.", "\r\n..");
  return Buffer.from(`${text.startsWith(".") ? "." : ""}${text}.\r\n`, "latin1");
}

export function unstuffed(wire: Buffer): Buffer {
  const text = wire.toString("latin1", 0, wire.length - ".\r\n".length).replaceAll("\r\n..", "\r\n.");
  return Buffer.from(text.startsWith("..") ? text.slice(1) : text, "latin1");
}

// Case folding for addresses. Used wherever two addresses or tags are compared or signed.
// Every peer folds ASCII only (RFC 5321 §2.4 leaves non-ASCII case alone), and so must we: `String.toLowerCase`
// would sign "Ö" as "ö" and disagree with all of them.

const NON_ASCII = /[^\0-\x7f]/;

/** Lower-cases A–Z and nothing else. */
export function asciiLower(text: string): string {
  if (!NON_ASCII.test(text)) return text.toLowerCase();
  return text.replace(/[A-Z]+/g, (run) => run.toLowerCase());
}

/** Length on the wire: SMTP counts octets of UTF-8, not characters (RFC 6531 §3.2). */
export function octets(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

// The octets of a message: what may not be in it.

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

// Command lines before their arguments are read. Called by session.ts and smtp-in/connection.ts.

/** The path's own check has the better code for what is wrong with an address. */
const HAS_A_PATH = new Set(["MAIL", "RCPT"]);

/** In upper case. */
export function verbOf(command: Buffer): string {
  const end = command.indexOf(0x20);
  return command.toString("latin1", 0, end < 0 ? command.length : end).toUpperCase();
}

/** RFC 5321 §2.3.8: a CR alone must not be sent. What reads commands behind us may take it for a line end. */
export function hasForbiddenControls(verb: string, command: Buffer): boolean {
  if (HAS_A_PATH.has(verb)) return false;
  for (const octet of command) {
    if ((octet < 0x20 && octet !== 0x09) || octet === 0x7f) return true;
  }
  return false;
}

const PARAMETERS: Readonly<Record<"MAIL" | "RCPT", ReadonlySet<string>>> = {
  MAIL: new Set(["BODY", "SIZE", "SMTPUTF8", "RET", "ENVID"]),
  RCPT: new Set(["NOTIFY", "ORCPT"]),
};

/** RFC 5321 §4.1.1.11: a parameter that we did not offer, or not for this command. */
export function hasUnknownParameter(
  command: "MAIL" | "RCPT",
  parameters: object,
  offersAuth: boolean,
): boolean {
  for (const name in parameters) {
    if (PARAMETERS[command].has(name)) continue;
    // RFC 4954 §5: who offers AUTH takes it; we trust nobody's word for who wrote a message.
    if (!(offersAuth && command === "MAIL" && name === "AUTH")) return true;
  }
  return false;
}

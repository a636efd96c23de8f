// Command lines before their arguments are read. Called by smtp-in.ts.

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

const MAIL_PARAMETERS: ReadonlySet<string> = new Set(["BODY", "SIZE", "SMTPUTF8"]);

/** RFC 5321 §4.1.1.11: a parameter that we did not offer. RCPT has none. */
export function hasUnknownParameter(command: "MAIL" | "RCPT", parameters: object): boolean {
  for (const name in parameters) {
    if (command === "RCPT" || !MAIL_PARAMETERS.has(name)) return true;
  }
  return false;
}

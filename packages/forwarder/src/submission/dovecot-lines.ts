// Lines of Dovecot's auth-client protocol, versions 1.1 and 1.2: fields with tabs between them. Called by dovecot-passwords.ts.
// https://doc.dovecot.org/developer_manual/design/auth_protocol/

export interface AuthRequest {
  readonly id: number;
  readonly name: string;
  readonly password: string;
  readonly clientAddress: string;
}

export type AuthAnswer =
  | { readonly kind: "version"; readonly major: number }
  /** Behind what the server tells of itself. */
  | { readonly kind: "ready" }
  | { readonly kind: "mechanism"; readonly name: string }
  | { readonly kind: "ok"; readonly id: number; readonly user: string | undefined }
  | { readonly kind: "fail"; readonly id: number; readonly isTemporary: boolean }
  | { readonly kind: "go-on"; readonly id: number }
  | { readonly kind: "other" };

/** We understand 1.x; what a later minor version adds, nobody has to know. */
export const MAJOR_VERSION = 1;
const ESCAPE = "\x01";
const ADDRESS = /^[0-9A-Fa-f:.]{2,45}$/;

/** @param clientId no other connection to the server has it */
export function greeting(clientId: number): string {
  return `VERSION\t${MAJOR_VERSION}\t1\nCPID\t${clientId}\n`;
}

/** `nologin`: nobody asks the server for this log-in again. The response comes last, as the protocol has it. */
export function authRequest({ id, name, password, clientAddress }: AuthRequest): string {
  const response = Buffer.from(`\0${name}\0${password}`).toString("base64");
  const from = ADDRESS.test(clientAddress) ? `rip=${clientAddress}\t` : "";
  return `AUTH\t${id}\tPLAIN\tservice=smtp\tsecured\tnologin\t${from}resp=${response}\n`;
}

export function parseAnswer(line: string): AuthAnswer {
  const [verb, first = "", ...more] = line.split("\t");
  const id = /^\d{1,10}$/.test(first) ? Number(first) : -1;
  switch (verb) {
    case "VERSION":
      return { kind: "version", major: id };
    case "MECH":
      return { kind: "mechanism", name: first.toUpperCase() };
    case "DONE":
      return { kind: "ready" };
    case "OK": {
      const user = more.find((field) => field.startsWith("user="));
      return { kind: "ok", id, user: user === undefined ? undefined : unescaped(user.slice(5)) };
    }
    case "FAIL":
      return { kind: "fail", id, isTemporary: more.includes("temp") };
    case "CONT":
      return { kind: "go-on", id };
    default:
      return { kind: "other" };
  }
}

/** Since 2.2: \001 begins what would else end a field. */
function unescaped(text: string): string {
  const meanings: Readonly<Record<string, string>> = { "0": "\0", "1": "\x01", t: "\t", r: "\r", n: "\n" };
  const [first = "", ...others] = text.split(ESCAPE);
  return first + others.map((part) => (meanings[part.charAt(0)] ?? part.charAt(0)) + part.slice(1)).join("");
}

// AUTH: what a client says in PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login), line by line, as values. RFC 4954. Called
// by auth-dialogue.ts; nothing of it is the library's, which takes any base64 and any authorization identity.
import type { Reply } from "@homing/mail";

export type AuthStep =
  /** 334, with a challenge in base64; the next line of the client is the answer. */
  | { readonly kind: "ask"; readonly challenge: string; readonly next: (line: Buffer) => AuthStep }
  | { readonly kind: "log-in"; readonly name: string; readonly password: string }
  | { readonly kind: "refuse"; readonly reply: Reply };

/** In the answer to EHLO. */
export const AUTH_OFFERED = "AUTH PLAIN LOGIN";
/** RFC 4954 §4: "considered to be a sufficient line length limit". All other commands keep theirs. */
export const MAX_AUTH_OCTETS = 12_288;

export const AUTH_TOO_LONG: Reply = {
  code: 500,
  enhanced: "5.5.6",
  text: "the line is too long for a log-in",
};
export const WRONG_LOG_IN: Reply = {
  code: 535,
  enhanced: "5.7.8",
  text: "name or password is wrong",
};
const CANCELLED: Reply = { code: 501, enhanced: "5.7.0", text: "the log-in is cancelled" };
const NOT_BASE64: Reply = { code: 501, enhanced: "5.5.2", text: "this is no base64" };
const MALFORMED: Reply = { code: 501, enhanced: "5.5.2", text: "this is no name and password" };
const SYNTAX: Reply = { code: 501, enhanced: "5.5.4", text: "syntax: AUTH mechanism [initial response]" };
const UNKNOWN: Reply = { code: 504, enhanced: "5.5.4", text: "this server knows AUTH PLAIN and AUTH LOGIN" };

const NAME_CHALLENGE = Buffer.from("Username:").toString("base64");
const PASSWORD_CHALLENGE = Buffer.from("Password:").toString("base64");
const CONTROLS = /\p{Cc}/u;
const NUL = "\0";
const SPACE = 0x20;
const TAB = 0x09;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** May this line be as long as those of a log-in? */
export function isAuthCommand(line: Buffer): boolean {
  return line.toString("latin1", 0, 5).toUpperCase() === "AUTH ";
}

export function beginAuth(command: Buffer): AuthStep {
  // RFC 5321 §4.1.1: white space before the CRLF is nothing.
  let end = command.length;
  while (command[end - 1] === SPACE || command[end - 1] === TAB) end--;
  const [, mechanism, initial, ...more] = command.toString("latin1", 0, end).split(" ");
  if (mechanism === undefined || mechanism === "" || initial === "" || more.length > 0) return refuse(SYNTAX);
  switch (mechanism.toUpperCase()) {
    case "PLAIN":
      return initial === undefined ? ask("", plainResponse) : plain(octetsOfInitial(initial));
    case "LOGIN":
      return initial === undefined ? ask(NAME_CHALLENGE, nameResponse) : login(octetsOfInitial(initial));
    default:
      return refuse(UNKNOWN);
  }
}

function plainResponse(line: Buffer): AuthStep {
  return isCancel(line) ? refuse(CANCELLED) : plain(octetsOf(line.toString("latin1")));
}

/** RFC 4616 §2: authorization identity NUL name NUL password. */
function plain(octets: Buffer | undefined): AuthStep {
  if (!octets) return refuse(NOT_BASE64);
  const parts = textOf(octets)?.split(NUL);
  if (parts?.length !== 3) return refuse(MALFORMED);
  const [authorization = "", name = "", password = ""] = parts;
  if (!isText(name) || !isText(password)) return refuse(MALFORMED);
  // Nobody may act as somebody else.
  if (authorization !== "" && authorization !== name) return refuse(WRONG_LOG_IN);
  return { kind: "log-in", name, password };
}

function nameResponse(line: Buffer): AuthStep {
  return isCancel(line) ? refuse(CANCELLED) : login(octetsOf(line.toString("latin1")));
}

function login(octets: Buffer | undefined): AuthStep {
  if (!octets) return refuse(NOT_BASE64);
  const name = textOf(octets);
  if (name === undefined || !isText(name)) return refuse(MALFORMED);
  return ask(PASSWORD_CHALLENGE, (line) => {
    if (isCancel(line)) return refuse(CANCELLED);
    const response = octetsOf(line.toString("latin1"));
    if (!response) return refuse(NOT_BASE64);
    const password = textOf(response);
    return password !== undefined && isText(password)
      ? { kind: "log-in", name, password }
      : refuse(MALFORMED);
  });
}

/** RFC 4954 §4: `=` is an initial response without octets. */
function octetsOfInitial(text: string): Buffer | undefined {
  return text === "=" ? Buffer.alloc(0) : octetsOf(text);
}

/** Only what encoding gives: Buffer.from would skip whatever it does not know, and read on. */
function octetsOf(text: string): Buffer | undefined {
  const octets = Buffer.from(text, "base64");
  return octets.toString("base64") === text ? octets : undefined;
}

function textOf(octets: Buffer): string | undefined {
  try {
    return strictUtf8.decode(octets);
  } catch {
    return undefined;
  }
}

/** Something, without control characters: they would end a line of whoever is asked, or of a log. */
function isText(text: string): boolean {
  return text !== "" && !CONTROLS.test(text);
}

function isCancel(line: Buffer): boolean {
  return line.length === 1 && line[0] === 0x2a;
}

function ask(challenge: string, next: (line: Buffer) => AuthStep): AuthStep {
  return { kind: "ask", challenge, next };
}

function refuse(reply: Reply): AuthStep {
  return { kind: "refuse", reply };
}

// What a client asks of us with the parameters of the DSN extension: RET and ENVID of MAIL, NOTIFY and ORCPT of RCPT (RFC 3461
// §4). Pure. Called for MAIL and RCPT commands with parameters, by front/library-handlers.ts.
import type { Notify } from "@homing/bounce-handler";

/** About the message, and in every DSN about it. */
export interface MailDsn {
  readonly ret?: "full" | "hdrs";
  /** In xtext, as it came. */
  readonly envid?: string;
}

/** About one recipient. */
export interface RcptDsn {
  readonly notify?: Notify;
  /** `type;xtext`, as it came. */
  readonly orcpt?: string;
}

/** `dsn` is undefined where no parameter of the extension was given. */
export type AskedDsn<D> =
  | { readonly ok: true; readonly dsn: D | undefined }
  /** What is wrong, for the client. */
  | { readonly ok: false; readonly message: string };

type Value = string | true | undefined;

/** Of a command, by keyword in upper case; others are passed over. A keyword without value is `true`. */
export interface Parameters {
  readonly RET?: Value;
  readonly ENVID?: Value;
  readonly NOTIFY?: Value;
  readonly ORCPT?: Value;
}

/** §4.4. */
const MAX_ENVID = 100;
/** §4.2. */
const MAX_ORCPT = 500;
/** §4: a plus sign begins two digits, and an equals sign would begin a value. */
const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/;
/** What no line of a DSN can hold. */
const ENCODED_CONTROL = /\+(?:[01][0-9A-F]|7F)/;
const ENCODED_EIGHT_BIT = /\+[89A-F]/;
/** The address type is an atom (RFC 5321 §4.1.2). */
const ADDRESS_TYPE = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+$/;
const NOTIFY_WORDS = ["success", "failure", "delay"] as const;

export function mailDsn({ RET, ENVID }: Parameters): AskedDsn<MailDsn> {
  const ret = RET === undefined ? undefined : retOf(RET);
  if (ret === null) return wrong("RET is FULL or HDRS");
  if (ENVID !== undefined && !isEnvid(ENVID))
    return wrong(`ENVID is 1 to ${MAX_ENVID} characters of xtext, for printable ones`);
  const dsn = { ...(ret ? { ret } : {}), ...(ENVID === undefined ? {} : { envid: ENVID }) };
  return { ok: true, dsn: RET === undefined && ENVID === undefined ? undefined : dsn };
}

/** @param smtpUtf8 MAIL had SMTPUTF8: ORCPT may have UTF-8 as it is (RFC 6533 §3) */
export function rcptDsn({ NOTIFY, ORCPT }: Parameters, smtpUtf8: boolean): AskedDsn<RcptDsn> {
  const notify = NOTIFY === undefined ? undefined : notifyOf(NOTIFY);
  if (notify === null) return wrong("NOTIFY is NEVER, or a list of SUCCESS, FAILURE and DELAY");
  if (ORCPT !== undefined && !isOrcpt(ORCPT, smtpUtf8))
    return wrong(`ORCPT is an address type, a semicolon and xtext, up to ${MAX_ORCPT} characters`);
  const dsn = { ...(notify ? { notify } : {}), ...(ORCPT === undefined ? {} : { orcpt: ORCPT }) };
  return { ok: true, dsn: NOTIFY === undefined && ORCPT === undefined ? undefined : dsn };
}

function wrong(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}

/** Null where it is none. */
function retOf(value: string | true): "full" | "hdrs" | null {
  const word = value === true ? "" : value.toLowerCase();
  return word === "full" || word === "hdrs" ? word : null;
}

/** §4.4: the value before its encoding is printable US-ASCII. */
function isEnvid(value: string | true): value is string {
  if (value === true || value === "" || value.length > MAX_ENVID || !XTEXT.test(value)) return false;
  return !ENCODED_CONTROL.test(value) && !ENCODED_EIGHT_BIT.test(value);
}

/** Null where it is none. */
function notifyOf(value: string | true): Notify | null {
  if (value === true) return null;
  const words = value.toLowerCase().split(",");
  if (words.length === 1 && words[0] === "never") return "never";
  const known = NOTIFY_WORDS.filter((word) => words.includes(word));
  const areKnown = words.every((word) => NOTIFY_WORDS.some((one) => one === word));
  return areKnown ? known : null;
}

function isOrcpt(value: string | true, smtpUtf8: boolean): value is string {
  if (value === true || value.length > MAX_ORCPT) return false;
  const semicolon = value.indexOf(";");
  const address = value.slice(semicolon + 1);
  if (semicolon < 1 || address === "" || !ADDRESS_TYPE.test(value.slice(0, semicolon))) return false;
  const ascii = smtpUtf8 ? address.replaceAll(/[^\0-\x9f\ufffd]/g, "x") : address;
  return XTEXT.test(ascii) && !ENCODED_CONTROL.test(ascii);
}

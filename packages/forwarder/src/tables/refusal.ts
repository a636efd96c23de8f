// The words of an operator for a refused address. Called by target.ts, and for the settings of a domain.
import type { Reply } from "@homing/mail";

export type ParsedRefusal =
  | { readonly ok: true; readonly reply: Reply }
  | { readonly ok: false; readonly message: string };

/** A reply line has 512 octets (RFC 5321 §4.5.3.1.5), its codes and the ends of the line among them. */
const MAX_WORDS = 400;

const CODES = /^(?:(\d{3})(?: |$))?(?:([45]\.\d{1,3}\.\d{1,3})(?: |$))?(.*)$/s;
/** RFC 5321 §4.2 has a hyphen where more lines follow. */
const CODE_AND_HYPHEN = /^\d{3}-/;
/** Negative completion replies (RFC 5321 §4.2): others would tell the client something else. */
const NEGATIVE = /^[45][0-5]\d$/;

/**
 * Reads words for the client; in front of them a code and an enhanced code where they matter.
 *
 * @param usual what is not said; the codes must be of its class, 4 or 5
 */
export function parseRefusal(text: string, usual: Reply): ParsedRefusal {
  const [, code, enhanced, rest = ""] = CODES.exec(text.trim()) ?? [];
  const words = rest.trim();
  const codeFault = CODE_AND_HYPHEN.test(words) ? HYPHEN : code && faultOf(code);
  if (codeFault) return bad(codeFault);
  const reply: Reply = {
    code: code === undefined ? usual.code : Number(code),
    enhanced: enhanced ?? usual.enhanced,
    text: words === "" ? usual.text : words,
  };
  const digit = String(usual.code).charAt(0);
  if (String(reply.code).charAt(0) !== digit || !reply.enhanced.startsWith(digit)) {
    return bad(`the codes must begin with ${digit}, as in "${usual.code} ${usual.enhanced} ${usual.text}"`);
  }
  // RFC 5321 §4.2: a client need not understand more.
  if (!/^[ -~]*$/.test(words)) return bad("the words must be in ASCII, without control characters");
  if (words.length > MAX_WORDS)
    return bad(`the words have ${words.length} characters: write ${MAX_WORDS} at most`);
  return { ok: true, reply };
}

const HYPHEN = "a reply is one line here: write a blank behind the code, and no hyphen";

function faultOf(code: string): string | undefined {
  if (code.startsWith("2"))
    return `${code} refuses nothing: write :blackhole: for an address whose mail is taken and thrown away`;
  if (!NEGATIVE.test(code))
    return `${code} is no code of a refusal: write one such as 450 or 550, or words alone`;
  // RFC 5321 §3.8: the server closes the connection then, and the other recipients have no answer.
  if (code === "421") return "421 ends the whole session: write 450 or 451 to put off this address";
  return undefined;
}

function bad(message: string): ParsedRefusal {
  return { ok: false, message };
}

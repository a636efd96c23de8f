// A reply as it goes to the client: one line, whatever is in its words. Called by smtp-in/connection.ts.
import type { Reply } from "@homing/mail";

const NOT_PLAIN = /[^ -~]/;
const CONTROLS = /\p{Cc}/gu;

/** @param utf8 the client asked for SMTPUTF8: nobody else reads UTF-8 (RFC 6531 §3.7.4.2) */
export function replyLine({ code, enhanced, text }: Reply, utf8: boolean): string {
  const words = enhanced === "" ? text : `${enhanced} ${text}`;
  return `${code} ${NOT_PLAIN.test(words) ? sayable(words, utf8) : words}\r\n`;
}

function sayable(words: string, utf8: boolean): string {
  return utf8 ? words.replace(CONTROLS, " ") : words.replace(/[^ -~]/g, "?");
}

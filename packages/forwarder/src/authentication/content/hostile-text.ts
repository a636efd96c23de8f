// Text that somebody else chose, as results have it: printable ASCII, and never long. Called by the files beside this one.

const MAX_REASON = 200;
const MAX_DOMAIN = 253;
const NOT_PRINTABLE = /[^\x20-\x7e]/g;
const DOMAIN = /^[!-~]{1,253}$/;

export function reasonText(text: string, max = MAX_REASON): string {
  return text.slice(0, max).replace(NOT_PRINTABLE, "?");
}

/** In lower case; "" for what is no name. */
export function domainText(text: string): string {
  return text.length <= MAX_DOMAIN && DOMAIN.test(text) ? text.toLowerCase() : "";
}

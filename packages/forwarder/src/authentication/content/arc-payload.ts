// What stands in ARC-Authentication-Results behind the instance (RFC 8617 §4.1.1). Called by content-checks.ts.

/** RFC 5322 §2.1.1: 78, and 998 at most. */
const LINE = 76;
const FIRST_LINE = LINE - "ARC-Authentication-Results: i=50; ".length;
/** No control character, and no line that is not folded. */
const WRONG = /[^\t\x20-\x7e\x80-\uffff]/;

/** @param results as in Authentication-Results: folded already, or in one line */
export function arcPayload(authservId: string, results: string): string {
  const payload = `${authservId}; ${results}`;
  if (WRONG.test(payload.replaceAll(/\r\n(?=[ \t])/g, "")))
    throw new Error("results for ARC have a control character in them, or lines that are not folded");
  return payload.includes("\r\n") ? payload : folded(payload);
}

function folded(text: string): string {
  let lines = "";
  let line = "";
  for (const word of text.split(" ")) {
    const room = lines === "" ? FIRST_LINE : LINE;
    if (line !== "" && line.length + 1 + word.length > room) {
      lines += `${line}\r\n `;
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return lines + line;
}

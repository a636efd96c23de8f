// Fields of a message's header that a DSN of ours turns on. Called by compose-dsn.ts and notify.ts.

/** Unfolded values of each field of that name, in their order. Linear in the header. */
export function fieldValues(header: Buffer, name: string): readonly string[] {
  const start = `${name.toLowerCase()}:`;
  const values: string[] = [];
  let isOpen = false;
  for (const line of header.toString("latin1").split("\r\n")) {
    if (line === "") break;
    if (line.startsWith(" ") || line.startsWith("\t")) {
      if (isOpen) values.push(`${values.pop()} ${line.trim()}`);
      continue;
    }
    isOpen = line.slice(0, start.length).toLowerCase() === start;
    if (isOpen) values.push(line.slice(start.length).trim());
  }
  return values.map((value) => value.trim());
}

/** Only one of plain characters: it goes into a header of ours. */
export function messageIdOf(header: Buffer): string | undefined {
  const [value = ""] = fieldValues(header, "Message-ID");
  const [id = ""] = value.split(" ", 1);
  return /^<[!-;=?-~]{1,250}>$/.test(id) ? id : undefined;
}

// Lines of a UNIX socket, of bounded length. Called by reader-server.ts and forward-client.ts.

const LF = 0x0a;

export interface BoundedLines {
  /** The lines that end in this chunk, without LF; undefined when one is too long: close the connection. */
  push(chunk: Buffer): readonly string[] | undefined;
}

export function createBoundedLines(maxOctets: number): BoundedLines {
  let begun: Buffer[] = [];
  let octets = 0;
  return {
    push(chunk) {
      const lines: string[] = [];
      let from = 0;
      for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
        if (octets + at - from > maxOctets) return undefined;
        lines.push(Buffer.concat([...begun, chunk.subarray(from, at)]).toString());
        begun = [];
        octets = 0;
        from = at + 1;
      }
      const rest = chunk.subarray(from);
      octets += rest.length;
      if (octets > maxOctets) return undefined;
      // A copy: what a stream gives may be a piece of something larger.
      if (rest.length > 0) begun.push(Buffer.from(rest));
      return lines;
    },
  };
}

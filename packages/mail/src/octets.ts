// The octets of a message: what may not be in it. SMTP in scans every message while it arrives; the command line asks
// before it sends one.

const NUL = 0;
const LF = 0x0a;
const CR = 0x0d;

export type ForbiddenOctet = "a bare CR" | "a bare LF" | "a NUL";

/** Reads a message piece by piece, wherever the pieces end. */
export interface OctetScan {
  /** What was found first, now or before. Pieces behind it are not looked at. */
  scan(piece: Buffer): ForbiddenOctet | undefined;
  /** No more pieces will come: a CR at the very end is a bare one. */
  end(): ForbiddenOctet | undefined;
}

/**
 * Finds what makes a message unfit for forwarding. Some receivers end DATA at a bare LF or CR, so that what follows
 * runs as commands of ours (SMTP smuggling); NUL and both are forbidden by RFC 5321 §2.3.8 and RFC 5322 §4.
 */
export function createOctetScan(): OctetScan {
  let found: ForbiddenOctet | undefined;
  /** The last octet was a CR: its LF must come first in the next piece. */
  let afterCr = false;

  return {
    scan(piece) {
      if (found || piece.length === 0) return found;
      found = badLineEnd(piece, afterCr) ?? (piece.includes(NUL) ? "a NUL" : undefined);
      afterCr = piece[piece.length - 1] === CR;
      return found;
    },
    end() {
      if (!found && afterCr) found = "a bare CR";
      return found;
    },
  };
}

/** Names what makes a whole message unfit for forwarding, or nothing. */
export function forbiddenOctet(message: Buffer): ForbiddenOctet | undefined {
  const scan = createOctetScan();
  return scan.scan(message) ?? scan.end();
}

/** One search for each line finds both: a CR is bare if the next line end is not the LF behind it. */
function badLineEnd(piece: Buffer, afterCr: boolean): ForbiddenOctet | undefined {
  if (afterCr && piece[0] !== LF) return "a bare CR";
  let cr = piece.indexOf(CR);
  for (let lf = piece.indexOf(LF, afterCr ? 1 : 0); lf >= 0; lf = piece.indexOf(LF, lf + 1)) {
    if (cr < 0 || cr > lf) return "a bare LF";
    if (cr < lf - 1) return "a bare CR";
    cr = piece.indexOf(CR, lf + 1);
  }
  // What is left has no LF any more. The last octet's may come with the next piece.
  return cr >= 0 && cr < piece.length - 1 ? "a bare CR" : undefined;
}

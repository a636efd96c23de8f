// Programs of others that read DSNs, as peers: Python's email package with flufl.bounce (Mailman), and Perl's
// Mail::DeliveryStatus::BounceParser. Called by stories about what we write.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startLinePeer } from "./line-peer.ts";

type Fields = Readonly<Record<string, string>>;

export interface ReadByPython {
  readonly type: string;
  readonly reportType: string;
  /** Names in lower case, as in all fields here. */
  readonly header: Fields;
  readonly text: string;
  readonly types: readonly string[];
  /** What the email package found wrong with it. */
  readonly defects: readonly string[];
  readonly message: Fields;
  readonly recipients: readonly Fields[];
  readonly returned: Fields;
  /** flufl.bounce's answer: addresses. */
  readonly temporary: readonly string[];
  readonly permanent: readonly string[];
}

export interface ReadByPerl {
  readonly isBounce: 0 | 1;
  readonly reports: readonly {
    readonly email: string;
    readonly status: string;
    readonly action: string;
    readonly std_reason: string;
  }[];
  readonly messageId: string | null;
}

export interface DsnReader<Read> extends AsyncDisposable {
  read(message: Uint8Array): Promise<Read>;
}

export const READER_PACKAGES = ["python3-flufl.bounce", "libmail-deliverystatus-bounceparser-perl"] as const;

export function pythonReader(): Promise<DsnReader<ReadByPython>> {
  return reader("python3-flufl.bounce", ["python3", "-I"], "dsn-readers.py");
}

export function perlReader(): Promise<DsnReader<ReadByPerl>> {
  return reader("libmail-deliverystatus-bounceparser-perl", ["perl"], "dsn-readers.pl");
}

async function reader<Read>(
  packageName: string,
  interpreter: readonly string[],
  file: string,
): Promise<DsnReader<Read>> {
  const script = await readFile(join(import.meta.dirname, file), "utf8");
  const peer = await startLinePeer({ packageName, interpreter, script });
  return {
    async read(message) {
      const answer = await peer.ask({ message: Buffer.from(message).toString("base64") });
      return answer as Read;
    },
    [Symbol.asyncDispose]: () => peer.stop(),
  };
}

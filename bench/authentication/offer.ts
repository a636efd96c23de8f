// Starts the program that offers mail of the senders.
// Called by rounds.ts, through bench/mta/throughput.ts.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_PATH } from "../../test/harness/command.ts";
import { ALIAS } from "../mta/addresses.ts";
import { startReadyGenerator } from "../mta/generator.ts";
import type { Offer } from "../mta/throughput.ts";
import type { Mail } from "./senders.ts";

const PROGRAM = join(import.meta.dirname, "generator.pl");

/** The files of the generator. */
export interface Offers {
  readonly signed: readonly string[];
  readonly unsigned: readonly string[];
}

export function writeOffers(folder: string, mails: readonly Mail[]): Offers {
  const write = (kind: "signed" | "unsigned"): string[] => {
    mkdirSync(join(folder, kind));
    return mails.map((mail) => {
      const file = join(folder, kind, mail.sender);
      writeFileSync(file, mail[kind]);
      return file;
    });
  };
  return { signed: write("signed"), unsigned: write("unsigned") };
}

export function offerFiles(files: readonly string[], sessions: number): Offer {
  return async ({ peer, load }, messages) => {
    const argv = ["perl", PROGRAM, `${peer.port}`, `${sessions}`, `${messages}`, ALIAS.address, ...files];
    return startReadyGenerator({ argv, env: { PATH: SYSTEM_PATH }, load });
  };
}

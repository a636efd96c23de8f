// Starts the program that offers bounces.
// Called by main.ts for each cell of bounces, and for warming up; by bench:returns, too.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_PATH } from "../../../test/harness/command.ts";
import type { Sessions } from "../cells.ts";
import { startReadyGenerator } from "../generator.ts";
import type { PeerName } from "../peer.ts";
import type { Offer } from "../throughput.ts";
import { BOUNCE_TEMPLATE } from "./bounce-message.ts";
import { type Pair, type SrsAddresses, srsAddressesOf } from "./srs-addresses.ts";

const PROGRAM = join(import.meta.dirname, "generator.pl");

/** One for all cells: no peer gets a second bounce to the same address. */
export interface Addresses {
  of(peer: PeerName): SrsAddresses;
  /** For the lists of the generator. */
  readonly folder: string;
}

/** @param runFolder gets a folder for the lists */
export function createAddresses(runFolder: string): Addresses {
  const folder = join(runFolder, "lists");
  mkdirSync(folder);
  const byPeer = new Map<PeerName, SrsAddresses>();
  return {
    folder,
    of(peer) {
      const known = byPeer.get(peer) ?? srsAddressesOf(peer);
      byPeer.set(peer, known);
      return known;
    },
  };
}

export function offerBounces(addresses: Addresses, { connection, sessions }: Sessions): Offer {
  return async ({ peer, load }, messages) => {
    const [list, template] = [join(addresses.folder, peer.name), join(addresses.folder, "template")];
    writeFileSync(list, renderList(addresses.of(peer.name).take(messages)));
    writeFileSync(template, BOUNCE_TEMPLATE);
    const argv = ["perl", PROGRAM, `${peer.port}`, `${sessions}`, connection, list, template];
    return startReadyGenerator({ argv, env: { PATH: SYSTEM_PATH }, load });
  };
}

function renderList(pairs: readonly Pair[]): string {
  const lines = pairs.map(
    ({ srsAddress, alias, target, id, mark }) => `${srsAddress}\t${alias}\t${target}\t${id}\t${mark}\n`,
  );
  return `srsAddress\talias\ttarget\tid\tmark\n${lines.join("")}`;
}

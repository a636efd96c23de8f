// Postfix's smtp-source as the generator of mail to the alias.
// Called by main.ts for each cell, and for warming up.
import { ALIAS, SENDER } from "./addresses.ts";
import type { Cell } from "./cells.ts";
import { startGenerator } from "./generator.ts";
import { postfixTool } from "./postfix-tools.ts";
import type { Offer } from "./throughput.ts";

export function offerMail({ connection, sessions, size }: Cell): Offer {
  return async ({ peer, load }, messages) => {
    const { program, env } = await postfixTool("smtp-source");
    const connections = connection === "many" ? ["-d"] : [];
    const amounts = ["-s", sessions, "-m", messages, "-l", size].map(String);
    const envelope = ["-f", SENDER, "-t", ALIAS.address];
    const argv = [program, ...connections, ...amounts, ...envelope, `127.0.0.1:${peer.port}`];
    return startGenerator({ argv, env, load });
  };
}

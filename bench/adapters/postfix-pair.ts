// The same Postfix twice, each with a sink of its own: one asks Homing's milter, one asks nobody. Called by main.ts.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../test/harness/free-port.ts";
import { startPostfix } from "../../test/harness/postfix.ts";
import { type Account, createAccount } from "../mta/account.ts";
import { ALIAS, FORWARDING_DOMAIN, routes } from "../mta/addresses.ts";
import { startCountingSink } from "../mta/counting-sink.ts";
import { descendants } from "../mta/process-table.ts";
import type { Track } from "../mta/throughput.ts";

export interface PostfixTrack extends Track {
  stop(): Promise<void>;
}

export interface PostfixOrder {
  readonly name: string;
  readonly folder: string;
  readonly load: Account;
  /** Undefined: none. */
  readonly milter: number | undefined;
}

export async function startPostfixTrack({ name, folder, load, milter }: PostfixOrder): Promise<PostfixTrack> {
  const own = join(folder, name);
  mkdirSync(own);
  const sinkPort = await freePort();
  const sink = await startCountingSink(sinkPort, own, load);
  const postfix = await startPostfix({
    hostname: FORWARDING_DOMAIN,
    destinations: [],
    settings: { ...settings(sinkPort), ...(milter === undefined ? {} : milterSettings(milter)) },
  });
  const account = createAccount(name);
  for (const pid of descendants([postfix.pid]).slice(1)) account.adopt(pid);
  const stop = async (): Promise<void> => {
    await postfix.stop();
    await sink.stop();
    account[Symbol.dispose]();
  };
  const peer = { name: "postfix-postsrsd", version: "Postfix", port: postfix.port, account, stop } as const;
  return { peer, sink, load, stop };
}

/** Where the harness is in a hurry for stories, Postfix's own defaults. */
function settings(sink: number): Record<string, string> {
  const to = Object.entries(routes({ counting: sink, timing: sink }))
    .map(([domain, port]) => `{${domain}=smtp:[127.0.0.1]:${port}}`)
    .join(", ");
  return {
    ...{ queue_run_delay: "300s", minimal_backoff_time: "300s", maximal_backoff_time: "4000s" },
    ...{ in_flow_delay: "1s", smtpd_error_sleep_time: "1s" },
    virtual_alias_domains: FORWARDING_DOMAIN,
    virtual_alias_maps: `inline:{{${ALIAS.address}=${ALIAS.target}}}`,
    transport_maps: `inline:{${to}}`,
  };
}

function milterSettings(port: number): Record<string, string> {
  return {
    smtpd_milters: `inet:127.0.0.1:${port}`,
    milter_protocol: "6",
    milter_default_action: "tempfail",
  };
}

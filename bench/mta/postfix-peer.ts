// Postfix and PostSRSd 1.10 from their Debian packages, joined by tcp tables: the peer that ratios are made with.
// Called by main.ts.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { debianRoot } from "../../test/harness/debian-packages.ts";
import { freePort } from "../../test/harness/free-port.ts";
import { startPostfix } from "../../test/harness/postfix.ts";
import { waitFor } from "../../test/harness/wait.ts";
import { ALIAS, FORWARDING_DOMAIN, routes, SECRET, TIMED_ALIAS } from "./addresses.ts";
import { OwnProcess } from "./own-process.ts";
import type { Place, Start } from "./peer.ts";
import { descendants } from "./process-table.ts";

interface Tables {
  readonly forward: number;
  readonly reverse: number;
}

export async function startPostfixPeer(place: Place): Promise<Start> {
  const tables: Tables = { forward: await freePort(), reverse: await freePort() };
  const srs = await startPostSrsd(tables, place);
  const postfix = await startPostfix({
    hostname: FORWARDING_DOMAIN,
    destinations: [],
    settings: settings(tables, place),
  });
  // Without the shell that holds the namespace, which is the first.
  for (const pid of descendants([postfix.pid]).slice(1)) place.account.adopt(pid);
  const stop = async (): Promise<void> => {
    await postfix.stop();
    await srs.stop();
  };
  const version = `Postfix ${await debianVersion("postfix")}, PostSRSd ${await debianVersion("postsrsd")}`;
  const { port } = postfix;
  return { ok: true, peer: { name: "postfix-postsrsd", version, port, account: place.account, stop } };
}

/** As the newest entry of the package's changelog has it: `postfix (3.7.11-0+deb12u1) bookworm; urgency=medium`. */
async function debianVersion(packageName: string): Promise<string> {
  const folder = join(await debianRoot(packageName), "usr/share/doc", packageName);
  const changelog = gunzipSync(readFileSync(join(folder, "changelog.Debian.gz"))).toString();
  return /^\S+ \(([^)]+)\)/.exec(changelog)?.[1] ?? "of unknown version";
}

/** Also for the bench of adapters, which has no Postfix in front of it. */
export async function startPostSrsd(
  { forward, reverse }: Tables,
  { folder, account }: Pick<Place, "folder" | "account">,
): Promise<OwnProcess> {
  const root = await debianRoot("postsrsd");
  const own = join(folder, "postsrsd");
  mkdirSync(own);
  const secret = join(own, "secret");
  writeFileSync(secret, `${SECRET}\n`, { mode: 0o600 });
  const domain = [`-s${secret}`, `-d${FORWARDING_DOMAIN}`];
  const listeners = ["-4", "-l127.0.0.1", `-f${forward}`, `-r${reverse}`];
  const argv = [join(root, "usr/sbin/postsrsd"), ...domain, ...listeners, "-unobody"];
  const program = new OwnProcess({ argv, account, folder: own });
  for (const port of [forward, reverse]) await waitForListener(port, program);
  return program;
}

async function waitForListener(port: number, program: OwnProcess): Promise<void> {
  const listens = (): Promise<true | undefined> =>
    new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.on("error", () => resolve(undefined)).on("connect", () => socket.destroy());
    });
  await waitFor(listens, { seconds: 10, otherwise: () => `PostSRSd does not listen: ${program.tail()}` });
}

/** Over those of the harness, whose times of waiting are short for stories: here Postfix has its own defaults. */
function settings({ forward, reverse }: Tables, { sinks }: Place): Record<string, string> {
  return {
    queue_run_delay: "300s",
    minimal_backoff_time: "300s",
    maximal_backoff_time: "4000s",
    in_flow_delay: "1s",
    smtpd_error_sleep_time: "1s",
    // The clients here are strangers, who may not relay.
    mynetworks: "127.0.0.99/32",
    smtpd_relay_restrictions: "reject_unauth_destination",
    virtual_alias_domains: FORWARDING_DOMAIN,
    virtual_alias_maps: inline([ALIAS, TIMED_ALIAS].map(({ address, target }) => [address, target])),
    sender_canonical_maps: `tcp:127.0.0.1:${forward}`,
    sender_canonical_classes: "envelope_sender",
    recipient_canonical_maps: `tcp:127.0.0.1:${reverse}`,
    recipient_canonical_classes: "envelope_recipient, header_recipient",
    transport_maps: inline(
      Object.entries(routes(sinks)).map(([domain, port]) => [domain, `smtp:[127.0.0.1]:${port}`]),
    ),
  };
}

function inline(entries: readonly (readonly string[])[]): string {
  return `inline:{${entries.map(([key, value]) => `{${key}=${value}}`).join(", ")}}`;
}

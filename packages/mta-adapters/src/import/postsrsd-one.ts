// The settings of PostSRSd 1: variables of its start script. Called by postsrsd-file.ts.
import {
  type ByName,
  type Counterpart,
  lineOf,
  notesOn,
  numberOf,
  problem,
  problemOfTags,
  type Settings,
  separatorOf,
  textOf,
} from "./postsrsd-settings.ts";

const PORTS = ["SRS_FORWARD_PORT", "SRS_REVERSE_PORT"] as const;
const LENGTHS = ["SRS_HASHLENGTH", "SRS_HASHMIN"];
const TAGS = { separator: "SRS_SEPARATOR", numbers: LENGTHS };
const KNOWN = [
  ...["SRS_DOMAIN", "SRS_EXCLUDE_DOMAINS", "SRS_SECRET", "SRS_LISTEN_ADDR"],
  ...[TAGS.separator, ...LENGTHS, ...PORTS],
];
const COUNTERPARTS: readonly Counterpart[] = [
  { name: "RUN_AS", note: "the service runs as the user that systemd gives it: User= in its unit" },
  { name: "CHROOT", note: "there is no chroot: the unit of deploy/systemd confines the service" },
  { name: "SRS_PID_FILE", note: "systemd needs none; the setting pidFile is for homing reload" },
  { name: "SRS_TIMEOUT", note: "an idle connection is closed after 1800 seconds, and that is no setting" },
  {
    name: "SRS_EXTRA_OPTIONS",
    when: (value) => value.includes("-A"),
    note: "-A rewrites own senders, too: that has no counterpart, since their SPF records name this server",
  },
  { name: "SRS_EXTRA_OPTIONS", when: (value) => !value.includes("-A"), note: "these options are left out" },
];

export function settingsOfVersion1(byName: ByName): Settings {
  const wrong = problemOfTags(byName, TAGS);
  if (wrong) return { ok: false, problem: wrong };
  for (const name of PORTS) {
    const port = textOf(byName, name) ?? "1";
    if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
      return problem(lineOf(byName, name), `${name} is no port number: write one from 1 to 65535`);
  }
  const host = textOf(byName, "SRS_LISTEN_ADDR") ?? "127.0.0.1";
  const shown = host.includes(":") ? `[${host}]` : host;
  const tagLength = numberOf(byName, "SRS_HASHLENGTH") || 4;
  return {
    ok: true,
    settings: {
      version: 1,
      srsDomain: textOf(byName, "SRS_DOMAIN"),
      ownDomains: (textOf(byName, "SRS_EXCLUDE_DOMAINS") ?? "")
        .split(/[,; \t]/)
        .filter((name) => name !== ""),
      ownDomainsFile: undefined,
      secretsFile: textOf(byName, "SRS_SECRET") ?? "/etc/postsrsd.secret",
      separator: separatorOf(byName, TAGS.separator),
      tagLength,
      minTagLength: numberOf(byName, "SRS_HASHMIN") || tagLength,
      socketmap: undefined,
      milter: undefined,
      rewriteLocal: false,
      forward: `${shown}:${textOf(byName, "SRS_FORWARD_PORT") ?? "10001"}`,
      reverse: `${shown}:${textOf(byName, "SRS_REVERSE_PORT") ?? "10002"}`,
      connections: undefined,
      notes: notesOn(byName, KNOWN, COUNTERPARTS),
    },
  };
}

// The settings of PostSRSd 2: postsrsd.conf. Called by postsrsd-file.ts.
import {
  type ByName,
  type Counterpart,
  isOn,
  lineOf,
  notesOn,
  numberOf,
  problem,
  problemOfTags,
  type Settings,
  separatorOf,
  textOf,
} from "./postsrsd-settings.ts";

const TAGS = { separator: "separator", numbers: ["hash-length", "hash-minimum", "connection-limit"] };
const KNOWN = [
  ...["srs-domain", "domains", "domains-file", "secrets-file", "socketmap", "milter", "milter-rewrite-local"],
  ...[TAGS.separator, ...TAGS.numbers],
];
const COUNTERPARTS: readonly Counterpart[] = [
  { name: "chroot-dir", note: "there is no chroot: the unit of deploy/systemd confines the service" },
  {
    name: "unprivileged-user",
    note: "the service runs as the user that systemd gives it: User= in its unit",
  },
  {
    name: "original-envelope",
    when: (value) => value === "database",
    note:
      "addresses that PostSRSd made from its database cannot be read here: let it serve the map reverse until the " +
      "last is 21 days old. Senders that do not fit into an address are kept where stateDirectory is set",
  },
  { name: "envelope-database", note: "there is no such database: see original-envelope" },
  {
    name: "always-rewrite",
    when: isOn,
    note: "own senders are not rewritten, since their SPF records name this server",
  },
  { name: "keep-alive", note: "an idle connection is closed after 300 seconds, and that is no setting" },
  {
    name: "domains-file-watch",
    when: (value) => !isOn(value),
    note: "a changed file of own domains is read anew by itself",
  },
  { name: "milter-recipient-limit", note: "the mail server's own limit holds" },
  { name: "pid-file", note: "systemd needs none; the setting pidFile is for homing reload" },
  { name: "daemonize", when: isOn, note: "the service stays in the foreground, as systemd wants it" },
  { name: "syslog", when: isOn, note: "the log goes to stdout, and from there to the journal" },
  { name: "debug", when: isOn, note: "the log has all that there is to say" },
  { name: "seccomp", when: isOn, note: "the unit of deploy/systemd confines the service" },
];
const PREFIX = /^(unix|local|inet[46]?):/;

export function settingsOfVersion2(byName: ByName): Settings {
  const wrong = problemOfTags(byName, TAGS);
  if (wrong) return { ok: false, problem: wrong };
  for (const name of ["socketmap", "milter"]) {
    const text = textOf(byName, name);
    if (text !== undefined && placeOf(text) === undefined)
      return problem(
        lineOf(byName, name),
        `${name} is neither unix:/path nor inet:HOST:PORT: write one of them`,
      );
  }
  const tagLength = numberOf(byName, "hash-length") || 4;
  return {
    ok: true,
    settings: {
      version: 2,
      srsDomain: textOf(byName, "srs-domain")?.replace(/^\./, ""),
      ownDomains: (byName.get("domains")?.values ?? []).filter((name) => name !== ""),
      ownDomainsFile: textOf(byName, "domains-file"),
      secretsFile: textOf(byName, "secrets-file") ?? "/etc/postsrsd.secret",
      separator: separatorOf(byName, TAGS.separator),
      tagLength,
      minTagLength: numberOf(byName, "hash-minimum") || 4,
      // An empty one turns it off; none at all is the default.
      socketmap: byName.has("socketmap")
        ? placeOf(textOf(byName, "socketmap") ?? "")
        : "unix:/var/spool/postfix/srs",
      milter: placeOf(textOf(byName, "milter") ?? ""),
      rewriteLocal: isOn(textOf(byName, "milter-rewrite-local") ?? "off"),
      forward: undefined,
      reverse: undefined,
      connections: numberOf(byName, "connection-limit"),
      notes: notesOn(byName, KNOWN, COUNTERPARTS),
    },
  };
}

/** As homing.yaml writes it. A star is every address; localhost is what Postfix reaches by that name first or second. */
function placeOf(text: string): string | undefined {
  const prefix = PREFIX.exec(text);
  if (!prefix) return undefined;
  const rest = text.slice(prefix[0].length);
  if (prefix[1] === "unix" || prefix[1] === "local") return rest.startsWith("/") ? `unix:${rest}` : undefined;
  const colon = rest.lastIndexOf(":");
  const port = rest.slice(colon + 1);
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) return undefined;
  const host = colon < 0 ? "" : rest.slice(0, colon);
  if (host === "" || host === "*") return `${prefix[1] === "inet6" ? "[::]" : "0.0.0.0"}:${port}`;
  return `${host === "localhost" ? "127.0.0.1" : host}:${port}`;
}

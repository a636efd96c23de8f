// A private Dovecot that takes mail by LMTP on 127.0.0.1 and on a UNIX socket, and keeps it in maildirs.
// Called by stories that need a mail store whose behaviour nobody here wrote.

import { join } from "node:path";
import { onFreePort } from "./free-port.ts";
import { type Instance, startInstance } from "./instance.ts";
import { type MaildirWait, waitForMaildir } from "./maildir.ts";

const START_SECONDS = 15;
/** Owns all mailboxes. */
const MAIL_USER = "vmail";
/** Below /var, since the /run of an instance is its own. */
const LMTP_SOCKET = "/var/dovecot/lmtp";

export interface DovecotOptions {
  /** Addresses with a mailbox, each with its quota: `"storage=1M"`, `"messages=1"`, or `""` for none. */
  readonly users: Readonly<Record<string, string>>;
  /** Settings over those of this harness. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Further blocks of its configuration. */
  readonly blocks?: string;
  /** Text of further files below /etc, by path: certificates. */
  readonly files?: Readonly<Record<string, string>>;
}

export type Dovecot = Instance & {
  /** Of its LMTP listener on 127.0.0.1. */
  readonly port: number;
  /** The path of its LMTP socket on this machine. */
  readonly socket: string;
  /** The folder of all maildirs on this machine, each named by its address. */
  readonly mailboxes: string;
  /** Messages in `new` of a user's maildir, oldest first, once there are `count` (default 1). */
  mail(user: string, wait?: MaildirWait): Promise<Buffer[]>;
  /** What a reader of the mailbox gets, message by message, oldest first. */
  read(user: string): Promise<string[]>;
};

export function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  return onFreePort((port) => startOn(port, options));
}

async function startOn(
  port: number,
  { users, settings = {}, blocks = "", files = {} }: DovecotOptions,
): Promise<Dovecot> {
  const instance = await startInstance({
    // Its core comes with it.
    packageName: "dovecot-lmtpd",
    command: ["dovecot", "-F", "-c", "/etc/dovecot/dovecot.conf"],
    users: ["dovecot", "dovenull", MAIL_USER],
    files: {
      "/etc/dovecot/dovecot.conf": configuration(port, settings) + blocks,
      ...files,
      "/etc/dovecot/users": Object.entries(users).map(renderUser).join(""),
    },
    folders: { "/var/dovecot": "root", "/var/mail": MAIL_USER },
    log: "var/log/dovecot.log",
  });
  try {
    // It has opened its listeners by then.
    await instance.waitForLog("starting up for lmtp", START_SECONDS);
  } catch (error) {
    await instance.stop();
    throw error;
  }
  const mailboxes = join(instance.folder, "var/mail");
  return Object.assign(instance, {
    port,
    socket: join(instance.folder, LMTP_SOCKET),
    mailboxes,
    mail: (user: string, wait?: MaildirWait) =>
      waitForMaildir(join(mailboxes, user), { explain: () => instance.tail(), ...wait }),
    async read(user: string) {
      // Who delivered into a maildir need not be the user who reads it.
      await instance.run(["chown", "-R", `${MAIL_USER}:${MAIL_USER}`, "/var/mail"]);
      const fetched = await instance.run(["doveadm", "-f", "json", "fetch", "-u", user, "text", "all"]);
      if (fetched.code !== 0) throw new Error(`doveadm: ${fetched.stderr}${await instance.tail()}`);
      return (JSON.parse(fetched.stdout.toString()) as { text: string }[]).map(({ text }) => text);
    },
  });
}

function configuration(port: number, settings: Readonly<Record<string, string>>): string {
  const all = {
    protocols: "lmtp",
    listen: "127.0.0.1",
    base_dir: "/var/dovecot/run",
    state_dir: "/var/dovecot/state",
    log_path: "/var/log/dovecot.log",
    ssl: "no",
    hostname: "store.example",
    mail_location: "maildir:/var/mail/%u",
    mail_uid: MAIL_USER,
    mail_gid: MAIL_USER,
    first_valid_uid: "1",
    mail_plugins: "quota",
    ...settings,
  };
  return `${Object.entries(all)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join("")}
passdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
userdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
plugin {
  quota = count:User quota
  quota_vsizes = yes
}
service lmtp {
  inet_listener lmtp {
    port = ${port}
  }
  unix_listener ${LMTP_SOCKET} {
    mode = 0666
  }
}
`;
}

/** A line as of passwd(5): the fields behind the address stay empty, and nobody can log in. */
function renderUser([address, quota]: readonly [string, string]): string {
  return `${address}:!::::::${quota === "" ? "" : `userdb_quota_rule=*:${quota}`}\n`;
}

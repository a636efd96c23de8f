// procmail as the mailbox_command of the site of pipe-site.ts: one user has a .procmailrc. Called by procmail.test.ts.
import { debianRoot } from "./debian-packages.ts";
import { type PipeSite, type PipeSiteOptions, recipe, startPipeSite } from "./pipe-site.ts";
import { waitFor } from "./wait.ts";

const SETTING = "mailbox_command = ";

export interface ProcmailSite extends PipeSite {
  /** What procmail put into the folder of a user, once there is something. */
  kept(user: string): Promise<string>;
}

/** @param rcfile of alice, as the recipe has it */
export async function startProcmailSite(
  rcfile: string,
  options: Partial<PipeSiteOptions> = {},
): Promise<ProcmailSite> {
  const text = await recipe("procmail/main.cf");
  const command = text.split("\n").find((line) => line.startsWith(SETTING)) ?? "";
  const setting = command
    .slice(SETTING.length)
    .replace("/usr/bin/procmail", "/var/seen/procmail/usr/bin/procmail");
  const site = await startPipeSite({
    users: ["alice", "carol"],
    files: { "alice/.procmailrc": rcfile },
    settings: { mailbox_command: setting },
    seen: { procmail: await debianRoot("procmail") },
    ...options,
  });
  // The home of everybody in an instance; carol's procmail takes no file of alice's.
  await site.postfix.run(["cp", "-p", "/var/mail/alice/.procmailrc", "/tmp/.procmailrc"]);
  return Object.assign(site, {
    async kept(user: string) {
      const list = ["sh", "-c", `cat /var/mail/${user}/msg.*`];
      return await waitFor(
        async () => {
          const { code, stdout } = await site.postfix.run(list);
          return code === 0 ? String(stdout) : undefined;
        },
        { seconds: 20, otherwise: () => site.postfix.tail() },
      );
    },
  });
}

// Debian's Chromium, without a window, in an instance of its own, driven by playwright-core.
// Called by stories about pages. It reaches 127.0.0.1 and nothing else: every other name and address leads nowhere.
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { startInstance } from "./instance.ts";
import { commandInside } from "./namespace.ts";

/** The part of Chromium without a user interface: 100 MB to fetch in place of 124, and it starts in a third of the time. */
export const CHROMIUM_PACKAGE = "chromium-headless-shell";
const PROGRAM = "/usr/bin/chromium-headless-shell";
const START_SECONDS = 30;

const ARGUMENTS = [
  ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** Its profile, empty at the start, lies in the instance's own /tmp and ends with it. */
export async function startChromium(): Promise<Browser & AsyncDisposable> {
  const instance = await startInstance({
    packageName: CHROMIUM_PACKAGE,
    // The browser itself is a child of this process, since it is talked to through file descriptors 3 and 4.
    command: ["sleep", "infinity"],
  });
  try {
    const browser = await chromium.launch({
      executablePath: await writeWrapper(instance),
      args: ARGUMENTS,
      chromiumSandbox: false,
      timeout: START_SECONDS * 1000,
      env: { HOME: "/tmp", LANG: "C.UTF-8", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    });
    return Object.assign(browser, {
      async [Symbol.asyncDispose]() {
        await browser.close();
        await instance.stop();
      },
    });
  } catch (error) {
    await instance.stop();
    throw error;
  }
}

/** What playwright starts in place of a browser: it enters the instance and becomes the browser there. */
async function writeWrapper({ folder, pid }: { folder: string; pid: number }): Promise<string> {
  const file = join(folder, "chromium");
  await writeFile(file, `#!/bin/sh\nexec ${commandInside(pid, [PROGRAM]).join(" ")} "$@"\n`);
  await chmod(file, 0o755);
  return file;
}

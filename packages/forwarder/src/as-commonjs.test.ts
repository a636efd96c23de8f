import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

/** In a process of its own: what is loaded stays. */
function loadedBy(...modules: readonly string[]): {
  readonly builtins: string[];
  readonly packages: string[];
} {
  const urls = modules.map((module) => JSON.stringify(new URL(module, import.meta.url).href));
  const script = `
    import { createRequire } from "node:module";
    ${urls.map((url) => `await import(${url});`).join("\n")}
    const { cache } = createRequire(${urls[0]});
    console.log(JSON.stringify({ builtins: process.moduleLoadList, packages: Object.keys(cache) }));
  `;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  return JSON.parse(printed);
}

const isUndici = (builtin: string): boolean => builtin.includes("undici");
const isSmtpOut = (file: string): boolean =>
  file.includes("/nodemailer/") && file.includes("/smtp-connection/");

test("SMTP in and out load no HTTP client", () => {
  const { builtins, packages } = loadedBy("./forwarder.ts", "./smtp-out.ts");
  assert.deepEqual(builtins.filter(isUndici), []);
  assert.ok(packages.some(isSmtpOut));
  assert.ok(builtins.some((builtin) => builtin.endsWith(" net")));
});

test("the forwarder loads what speaks with next hops when it is needed: that may be in a thread of its own", () => {
  assert.deepEqual(loadedBy("./forwarder.ts").packages.filter(isSmtpOut), []);
});

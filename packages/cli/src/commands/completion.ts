// `homing completion`: a script that lets a shell complete the command, made from the program itself.
import process from "node:process";
import type { Command } from "commander";
import { bashScript } from "../completion/bash.ts";
import { commandTree } from "../completion/command-tree.ts";
import { fishScript } from "../completion/fish.ts";
import { zshScript } from "../completion/zsh.ts";
import { EXIT } from "../failure.ts";
import { createOutput } from "../output.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export async function completion(
  shell: keyof typeof SCRIPTS,
  program: Command,
  options: { readonly json?: true },
): Promise<number> {
  const script = SCRIPTS[shell](commandTree(program));
  if (options.json) createOutput(true).document({ ok: true, shell, script });
  else process.stdout.write(script);
  return EXIT.ok;
}

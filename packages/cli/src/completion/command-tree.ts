// The commands, options and arguments of `homing` as a shell has to know them: read off the program itself, so that a
// new option is completed without anybody thinking of it. Called by the writers of scripts.
import type { Argument, Command, Option } from "commander";

export interface CommandNode {
  /** From the root on: `["homing", "secrets", "new"]`. */
  readonly path: readonly string[];
  readonly description: string;
  readonly commands: readonly CommandNode[];
  readonly options: readonly OptionNode[];
  readonly arguments: readonly ArgumentNode[];
}

export interface OptionNode {
  /** `--secrets`, and a short form where there is one. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Left out for an option that takes no value. */
  readonly value?: Value;
}

export interface ArgumentNode {
  readonly name: string;
  readonly value: Value;
}

/** What may be offered: names of files, some words, or nothing that a shell could guess. */
export type Value =
  | { readonly kind: "file" }
  | { readonly kind: "choices"; readonly choices: readonly string[] }
  | { readonly kind: "free" };

/** @param above the path of the parent */
export function commandTree(command: Command, above: readonly string[] = []): CommandNode {
  const path = [...above, command.name()];
  const help = command.createHelp();
  return {
    path,
    description: command.description(),
    // The `help` command of commander is among them: it is a word that a person may type.
    commands: help.visibleCommands(command).map((child) => commandTree(child, path)),
    options: help.visibleOptions(command).map(optionNode),
    arguments: command.registeredArguments.map(argumentNode),
  };
}

export function* everyCommand(node: CommandNode): Generator<CommandNode> {
  yield node;
  for (const child of node.commands) yield* everyCommand(child);
}

function optionNode(option: Option): OptionNode {
  const { long, short, description } = option;
  const flags = [long, short].filter((flag) => flag !== undefined);
  if (!option.required && !option.optional) return { flags, description };
  return { flags, description, value: shellValue(option.flags, option.argChoices) };
}

function argumentNode(argument: Argument): ArgumentNode {
  return { name: argument.name(), value: shellValue(`<${argument.name()}>`, argument.argChoices) };
}

function shellValue(placeholder: string, choices: readonly string[] | undefined): Value {
  if (choices) return { kind: "choices", choices };
  return /[<[|]file[\]>|]/.test(placeholder) ? { kind: "file" } : { kind: "free" };
}

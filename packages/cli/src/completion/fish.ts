// The completion script for fish, with descriptions. Called by `homing completion fish`.
import {
  type ArgumentNode,
  type CommandNode,
  everyCommand,
  type OptionNode,
  type Value,
} from "./command-tree.ts";

export function fishScript(root: CommandNode): string {
  const lines = [...everyCommand(root)].flatMap((command) => commandLines(command));
  return `# Completion of homing for fish. Load it with: homing completion fish | source
complete -c homing -f
${lines.join("\n")}
`;
}

function commandLines(command: CommandNode): string[] {
  const here = condition(command);
  return [
    ...command.commands.map(
      ({ path, description }) => `complete -c homing ${here} -a ${path.at(-1)} -d ${quoted(description)}`,
    ),
    ...command.options.map((option) => `complete -c homing ${here} ${optionFlags(option)}`),
    ...command.arguments.slice(0, 1).flatMap((argument) => argumentLines(argument, here)),
  ];
}

/** True while the words typed so far lead to this command and to none below it. */
function condition({ path, commands }: CommandNode): string {
  const seen = path.slice(1).map((word) => `__fish_seen_subcommand_from ${word}`);
  const below = commands.map((child) => child.path.at(-1)).join(" ");
  const none = below === "" ? [] : [`not __fish_seen_subcommand_from ${below}`];
  return `-n ${quoted([...seen, ...none].join("; and ") || "true")}`;
}

function optionFlags({ flags, description, value }: OptionNode): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  return [...names, ...(value ? [offered(value)] : []), `-d ${quoted(description)}`].join(" ");
}

function argumentLines({ value }: ArgumentNode, here: string): string[] {
  if (value.kind === "file") return [`complete -c homing ${here} -F`];
  if (value.kind === "choices") return [`complete -c homing ${here} -a ${quoted(value.choices.join(" "))}`];
  return [];
}

function offered(value: Value): string {
  if (value.kind === "file") return "-r -F";
  return value.kind === "choices" ? `-x -a ${quoted(value.choices.join(" "))}` : "-x";
}

/** fish knows two escapes inside single quotes. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

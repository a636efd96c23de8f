// The completion script for zsh, with descriptions. Called by `homing completion zsh`.
import { type CommandNode, everyCommand, type OptionNode, type Value } from "./command-tree.ts";

export function zshScript(root: CommandNode): string {
  const functions = [...everyCommand(root)].map((command) =>
    command.commands.length > 0 ? branching(command) : leaf(command),
  );
  return `#compdef homing
# Completion of homing for zsh. Put it into a folder of $fpath as _homing, or: source <(homing completion zsh)

${functions.join("\n\n")}

if [[ $funcstack[1] == _homing ]]; then
  _homing "$@"
else
  compdef _homing homing
fi
`;
}

function branching(command: CommandNode): string {
  const name = functionName(command.path);
  const described = command.commands.map(
    ({ path, description }) => `    ${quoted(`${path.at(-1)}:${description}`)}`,
  );
  const calls = command.commands.map(({ path }) => `        ${path.at(-1)}) ${functionName(path)} ;;`);
  return `${name}() {
  local curcontext=$curcontext state line
  local -a commands=(
${described.join("\n")}
  )
  _arguments -C \\
${specs(command.options.map(optionSpec))}    '1: :->command' \\
    '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $words[1] in
${calls.join("\n")}
      esac
      ;;
  esac
}`;
}

function leaf(command: CommandNode): string {
  const positional = command.arguments.map(({ name, value }, index) =>
    quoted(`${index + 1}:${name}:${offered(value)}`),
  );
  const all = [...command.options.map(optionSpec), ...positional];
  const body = all.length === 0 ? "  return 1" : `  _arguments \\\n    ${all.join(" \\\n    ")}`;
  return `${functionName(command.path)}() {\n${body}\n}`;
}

function specs(list: readonly string[]): string {
  return list.map((spec) => `    ${spec} \\\n`).join("");
}

function optionSpec({ flags, description, value }: OptionNode): string {
  const [flag = ""] = flags;
  const text = `[${description.replace(/[[\]\\]/g, "\\$&")}]`;
  return quoted(`${flag}${text}${value ? `:${flag.replace(/^-+/, "")}:${offered(value)}` : ""}`);
}

function offered(value: Value): string {
  if (value.kind === "file") return "_files";
  return value.kind === "choices" ? `(${value.choices.join(" ")})` : " ";
}

function functionName(path: readonly string[]): string {
  return `_${path.join("_").replaceAll("-", "_")}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

// The completion script for bash. Works without the package bash-completion. Called by `homing completion bash`.
import { type CommandNode, everyCommand, type Value } from "./command-tree.ts";

export function bashScript(root: CommandNode): string {
  const commands = [...everyCommand(root)];
  return `# Completion of ${root.path[0]} for bash. Load it with: source <(homing completion bash)
_homing() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command=homing at
  COMPREPLY=()
  # bash takes "--option=value" for three words.
  if [[ $word == "=" ]]; then
    word=""
  elif [[ $before == "=" ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "$command \${COMP_WORDS[at]}" in
      ${alternatives(commands.filter(({ path }) => path.length > 1).map(({ path }) => path))}) command="$command \${COMP_WORDS[at]}" ;;
    esac
  done
  case "$command $before" in
${optionValues(commands)}
  esac
  if [[ $word == -* ]]; then
    case "$command" in
${branches(commands, ({ options }) => words(options.flatMap(({ flags }) => flags)))}
    esac
    return
  fi
  case "$command" in
${branches(commands, operands)}
  esac
}
_homing_words() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -W "$1" -- "$word")
}
_homing_files() {
  local line
  compopt -o filenames 2> /dev/null
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$word")
}
complete -F _homing homing
`;
}

function alternatives(paths: readonly (readonly string[])[]): string {
  return paths.map((path) => quoted(path.join(" "))).join(" | ");
}

function branches(commands: readonly CommandNode[], body: (command: CommandNode) => string): string {
  return commands
    .map((command) => ({ path: command.path, text: body(command) }))
    .filter(({ text }) => text !== "")
    .map(({ path, text }) => `    ${quoted(path.join(" "))}) ${text} ;;`)
    .join("\n");
}

/** What follows an option that takes a value is that value, and nothing else. */
function optionValues(commands: readonly CommandNode[]): string {
  const lines = commands.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }) => {
      if (!value) return [];
      const offer = offered(value);
      return [
        `    ${alternatives(flags.map((flag) => [...path, flag]))}) ${offer === "" ? "" : `${offer}; `}return ;;`,
      ];
    }),
  );
  return lines.join("\n");
}

function operands({ commands, arguments: expected }: CommandNode): string {
  if (commands.length > 0) return words(commands.map(({ path }) => path.at(-1) ?? ""));
  const [first] = expected;
  return first ? offered(first.value) : "";
}

function offered(value: Value): string {
  if (value.kind === "file") return "_homing_files";
  return value.kind === "choices" ? words(value.choices) : "";
}

function words(list: readonly string[]): string {
  return list.length === 0 ? "" : `_homing_words ${quoted(list.join(" "))}`;
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

// The settings as a tree, read off the schema: so no page, message or command has a list of its own. Called by
// configuration-page.ts, effective-values.ts and load-config.ts.
import * as z from "zod";
import "./setting-words.ts";

export interface Setting {
  readonly kind: SettingKind;
  readonly presence: Presence;
  /** The text of `.describe`, and what `.meta` says. */
  readonly words: z.GlobalMeta;
  readonly schema: z.core.$ZodType;
}

export type SettingKind =
  /** Text, a number, true or false; `type` says it to people where no word does. */
  | { readonly kind: "value"; readonly type: string }
  | { readonly kind: "list"; readonly item: Setting; readonly min: number }
  /** Names that the operator chooses. */
  | { readonly kind: "table"; readonly name: Setting; readonly value: Setting }
  /** Names that are ours. */
  | { readonly kind: "map"; readonly settings: ReadonlyMap<string, Setting> }
  | { readonly kind: "choice"; readonly options: readonly Setting[] };

export type Presence =
  | { readonly kind: "required" }
  | { readonly kind: "optional" }
  /** As it would stand in the file. */
  | { readonly kind: "default"; readonly value: unknown };

export function settingTree(schema: z.core.$ZodType): Setting {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const words = z.globalRegistry.get(schema) ?? {};
  const leaf = (kind: SettingKind): Setting => ({ kind, presence: { kind: "required" }, words, schema });
  const around = (inner: z.core.$ZodType, presence?: Presence): Setting => {
    const setting = settingTree(inner);
    return {
      ...setting,
      presence: presence ?? setting.presence,
      words: { ...setting.words, ...words },
      schema,
    };
  };
  switch (def.type) {
    case "default":
    case "prefault":
      return around(def.innerType, { kind: "default", value: def.defaultValue });
    case "optional":
      return around(def.innerType, { kind: "optional" });
    case "nullable":
    case "readonly":
    case "catch":
    case "nonoptional":
      return around(def.innerType);
    case "pipe":
      // What stands in the file, not what is made of it.
      return around(typeOf(def.in) === "transform" ? def.out : def.in);
    case "object":
      return leaf({
        kind: "map",
        settings: new Map(Object.entries(def.shape).map(([name, inner]) => [name, settingTree(inner)])),
      });
    case "record":
      return leaf({ kind: "table", name: settingTree(def.keyType), value: settingTree(def.valueType) });
    case "array":
      return leaf({ kind: "list", item: settingTree(def.element), min: bounds(schema).min ?? 0 });
    case "union":
      return leaf({ kind: "choice", options: def.options.map(settingTree) });
    default:
      return leaf({ kind: "value", type: valueType(schema) });
  }
}

/** The setting at a path of names and list positions; undefined where the schema has none. */
export function settingAt(root: Setting, path: readonly PropertyKey[]): Setting | undefined {
  let setting: Setting | undefined = root;
  for (const step of path) setting = setting && childOf(setting, String(step));
  return setting;
}

/** The names of ours that may stand in a map; none for anything else. */
export function namesIn(setting: Setting | undefined): readonly string[] {
  if (setting?.kind.kind === "map") return [...setting.kind.settings.keys()];
  if (setting?.kind.kind === "choice") return [...new Set(setting.kind.options.flatMap(namesIn))];
  return [];
}

/** Every setting below, with its dotted name; in capitals stands what the operator chooses: see isOfOurs. */
export function* everySetting(setting: Setting, above = ""): Generator<readonly [string, Setting]> {
  for (const [name, child] of childrenOf(setting)) {
    const dotted = above === "" ? name : `${above}.${name}`;
    yield [dotted, child];
    yield* everySetting(child, dotted);
  }
}

/** A setting and all that it is made of, with the items of lists and the names of tables. */
export function* everyPart(setting: Setting): Generator<Setting> {
  yield setting;
  for (const part of partsOf(setting)) yield* everyPart(part);
}

function partsOf({ kind }: Setting): readonly Setting[] {
  switch (kind.kind) {
    case "map":
      return [...kind.settings.values()];
    case "list":
      return [kind.item];
    case "table":
      return [kind.name, kind.value];
    case "choice":
      return kind.options;
    case "value":
      return [];
  }
}

/** Whether a dotted name can be written as it is. */
export function isOfOurs(dotted: string): boolean {
  return dotted.split(".").every((step) => step !== step.toUpperCase());
}

function childrenOf({ kind }: Setting): (readonly [string, Setting])[] {
  switch (kind.kind) {
    case "map":
      return [...kind.settings];
    case "list":
      return childrenOf(kind.item).map(([name, child]) => [`N.${name}`, child]);
    case "table": {
      const type = typeName(kind.name);
      const name = type === "text" ? "NAME" : type.toUpperCase();
      return childrenOf(kind.value).map(([below, child]) => [`${name}.${below}`, child]);
    }
    case "choice":
      return [...new Map(kind.options.flatMap(childrenOf))];
    case "value":
      return [];
  }
}

function childOf({ kind }: Setting, step: string): Setting | undefined {
  switch (kind.kind) {
    case "map":
      return kind.settings.get(step);
    case "list":
      return kind.item;
    case "table":
      return kind.value;
    case "choice":
      return kind.options.map((option) => childOf(option, step)).find((child) => child !== undefined);
    case "value":
      return undefined;
  }
}

/** The type in a few words. */
export function typeName({ kind, words }: Setting): string {
  if (words.type !== undefined) return words.type;
  switch (kind.kind) {
    case "value":
      return kind.type;
    case "list":
      return `list of ${plural(kind.item)}${kind.min > 0 ? `, at least ${kind.min}` : ""}`;
    case "table":
      return `${typeName(kind.name)} → ${typeName(kind.value)}`;
    case "map":
      return "map";
    case "choice":
      return kind.options.map(typeName).join(" or ");
  }
}

function plural(item: Setting): string {
  const name = typeName(item);
  if (!/^[a-z:]+$/.test(name) || name === "text") return name;
  return name.endsWith("s") ? `${name}es` : `${name}s`;
}

function valueType(schema: z.core.$ZodType): string {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "string":
      return "text";
    case "boolean":
      return "true, false";
    case "enum":
      return Object.values(def.entries).map(quoted).join(", ");
    case "literal":
      return def.values.map((value) => quoted(String(value))).join(", ");
    case "number": {
      const { min, max } = bounds(schema);
      return min === undefined || max === undefined ? "number" : `${min} to ${max}`;
    }
    default:
      return def.type;
  }
}

function quoted(value: string | number): string {
  return `\`${value === "" ? '""' : value}\``;
}

function typeOf(schema: z.core.$ZodType): string {
  return (schema as z.core.$ZodTypes)._zod.def.type;
}

interface Bounds {
  min?: number;
  max?: number;
}

function bounds(schema: z.core.$ZodType): Readonly<Bounds> {
  const found: Bounds = {};
  for (const check of schema._zod.def.checks ?? []) {
    const { def } = (check as unknown as z.core.$ZodChecks)._zod;
    if (def.check === "greater_than") found.min = Number(def.value);
    if (def.check === "less_than") found.max = Number(def.value);
    if (def.check === "min_length") found.min = def.minimum;
  }
  return found;
}

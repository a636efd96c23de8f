// What holds, setting by setting, and where it comes from. Called by `homing config show`.
import { dirname, isAbsolute, join } from "node:path";
import type { LocalStore } from "@homing/forwarder";
import { type HostPort, renderHostPort } from "@homing/forwarder/host-port";
import type { Reply } from "@homing/mail";
import { type Mailbox, renderMailbox } from "@homing/srs-core";
import * as z from "zod";
import type { ConfigSource, Place } from "./config-source.ts";
import { renderMailStore } from "./mail-store-settings.ts";
import type { Setting } from "./setting-tree.ts";

export type PlainValue = string | number | boolean | readonly PlainValue[];

export interface EffectiveValue {
  /** The dotted name. */
  readonly name: string;
  readonly setting: Setting;
  /** As it could stand in the file, file names with their folder; undefined where nothing holds. */
  readonly value: PlainValue | undefined;
  /** Where it stands in the file; undefined for a default. */
  readonly place: Place | undefined;
}

export interface EffectiveConfig {
  /** The schema's output. */
  readonly config: unknown;
  readonly source: ConfigSource;
  /** File names are relative to its folder. */
  readonly path: string;
}

export function effectiveValues(root: Setting, effective: EffectiveConfig): EffectiveValue[] {
  const at = { names: [], path: [], value: effective.config, written: effective.source.value };
  return [...valuesAt(root, at, effective)];
}

interface At {
  /** As they hold. */
  readonly names: readonly string[];
  /** As they are written. */
  readonly path: readonly PropertyKey[];
  readonly value: unknown;
  readonly written: unknown;
}

function* valuesAt(setting: Setting, at: At, effective: EffectiveConfig): Generator<EffectiveValue> {
  const below = [...partsOf(setting, at)];
  if (below.length > 0) {
    for (const [child, next] of below) yield* valuesAt(child, next, effective);
    return;
  }
  const value = plainValue(at.value, setting, effective);
  const place = effective.source.valuePlace(at.path);
  yield { name: at.names.join("."), setting, value, place };
}

/** What has a line of its own: none for a value, and for a list of values. */
function* partsOf(setting: Setting, at: At): Generator<readonly [Setting, At]> {
  const { kind } = setting;
  const value = at.value;
  if (typeof value !== "object" || value === null) return;
  const step = (name: string, inner: unknown, key: PropertyKey = name): At => ({
    names: [...at.names, name],
    path: [...at.path, key],
    value: inner,
    written: member(at.written, key),
  });
  if (kind.kind === "map") {
    for (const [name, child] of kind.settings) yield [child, step(name, member(value, name))];
  }
  if (kind.kind === "table") {
    for (const { key, name, inner } of entries(setting, at)) yield [kind.value, step(name, inner, key)];
  }
  if (kind.kind === "list" && Array.isArray(value) && !isPlain(kind.item)) {
    for (const [index, inner] of value.entries()) yield [kind.item, step(String(index), inner, index)];
  }
  if (kind.kind === "choice") {
    const option = kind.options.find(({ schema }) => z.safeParse(schema, at.written).success);
    if (option) yield* partsOf(option, at);
  }
}

interface Entry {
  /** As it is written. */
  readonly key: string;
  readonly name: string;
  readonly inner: unknown;
}

/** A table may bring its names into one form: each entry is read by itself, so that it keeps its place. */
function entries({ schema }: Setting, { value, written }: At): Entry[] {
  if (typeof written !== "object" || written === null) {
    return Object.entries(value ?? {}).map(([name, inner]) => ({ key: name, name, inner }));
  }
  return Object.entries(written).flatMap(([key, raw]) => {
    const read = z.safeParse(schema, { [key]: raw });
    const [entry] = Object.entries(read.success && read.data ? read.data : { [key]: raw });
    return entry ? [{ key, name: entry[0], inner: entry[1] as unknown }] : [];
  });
}

function isPlain({ kind }: Setting): boolean {
  return kind.kind === "value" || (kind.kind === "choice" && kind.options.every(isPlain));
}

function plainValue(value: unknown, setting: Setting, effective: EffectiveConfig): PlainValue | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) {
    const item = setting.kind.kind === "list" ? setting.kind.item : setting;
    return value.flatMap((one) => plainValue(one, item, effective) ?? []);
  }
  if (typeof value === "string") {
    const relative = setting.words.type === "file" && !isAbsolute(value);
    return relative ? join(dirname(effective.path), value) : value;
  }
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (isHostPort(value)) return renderHostPort(value);
  if (isMailStore(value)) return renderMailStore(value);
  if (isMailbox(value)) return renderMailbox(value);
  if (isReply(value)) return `${value.code} ${value.enhanced} ${value.text}`;
  return Object.keys(value).length === 0 ? undefined : JSON.stringify(value);
}

function isHostPort(value: object): value is HostPort {
  return "host" in value && "port" in value;
}

function isMailStore(value: object): value is LocalStore {
  return "kind" in value && (value.kind === "lmtp" || value.kind === "maildir");
}

function isMailbox(value: object): value is Mailbox {
  return "localPart" in value && "domain" in value;
}

function isReply(value: object): value is Reply {
  return "code" in value && "enhanced" in value && "text" in value;
}

function member(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<PropertyKey, unknown>)[key];
}

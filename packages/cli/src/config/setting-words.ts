// What the schema can say of a setting with zod's `.meta({…})`, beside `.describe("…")`. Read by setting-tree.ts.

declare module "zod" {
  interface GlobalMeta {
    /** The type in the field's words, such as "domain". Said once, at the schema that others are made of. */
    readonly type?: string;
    /** What may be written for this type. */
    readonly typeMeaning?: string;
    /** What holds where the setting is left out, if the schema has no default for it. */
    readonly without?: string;
    /** What else must be known, as a Markdown paragraph. */
    readonly notes?: string;
    /** A value for the sample; without one it is the default. */
    readonly example?: unknown;
  }
}

export {};

// Which alias an SRS address is about, and the settings that hold for its bounces. Called by bounce-desk.ts, and at RCPT for
// automatic answers.
import type { Mailbox } from "@homing/srs-core";
import type { AliasIndex } from "../alias-index/alias-index.ts";
import type { UnwrappedSrs0 } from "../routes.ts";
import type { BounceSettings } from "./bounce-settings.ts";

export interface AliasFacts {
  /** At the domain that the sender used; undefined where nobody knows which it was: the bounce is neutral. */
  readonly alias: Mailbox | undefined;
  readonly settings: BounceSettings;
}

/** @param proven the alias, where the bounce returns a field of ours that says it: no tag without a selector could */
export type AliasOfBounce = (unwrapped: UnwrappedSrs0, proven?: Mailbox) => Promise<AliasFacts>;

/**
 * @param settingsOf undefined where nobody knows the alias
 * @param isReturnDomain there no tag is of an alias of ours: the settings are those of all
 */
export function createAliasOfBounce(
  index: AliasIndex,
  settingsOf: (alias: Mailbox | undefined) => BounceSettings,
  isReturnDomain: (domain: string) => boolean,
): AliasOfBounce {
  return async ({ facts: { selector, rewriter, secretIndex } }, proven) => {
    if (isReturnDomain(rewriter.domain)) return { alias: proven, settings: settingsOf(undefined) };
    const alias =
      proven ?? (selector === undefined ? undefined : await index.aliasOf(selector, rewriter, secretIndex));
    return { alias, settings: settingsOf(alias) };
  };
}

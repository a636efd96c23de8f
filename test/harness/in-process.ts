// A forwarder in the test's own process: what `homing serve` starts, with the clock and DNS of the story.
// Called by stories that need many forwarders, each with another next hop.
import {
  AUTHENTICATION_POLICY,
  type AuthenticationSettings,
  type Clock,
  createTableRules,
  type Forwarder,
  type ForwarderEvent,
  type ForwarderSettings,
  loadTables,
  type MxResolver,
  openState,
  type State,
  startForwarder,
  systemClock,
} from "@homing/forwarder";
import type { SpfResolver } from "@homing/spf";
import { createRewriter, type Rewriter } from "@homing/srs-core";
import { withPostmaster } from "./homing.ts";

export const NOW = 1_800_000_000;
export const SRS_DOMAIN = "forwarder.example";
const SECRETS = ["a secret of the stories"];

export interface InProcessOptions {
  /** Its only domain, for SRS too; default `SRS_DOMAIN`. */
  readonly domain?: string;
  /** Default: `mx` at that domain. */
  readonly hostname?: string;
  /** Default: any that is free. */
  readonly port?: number;
  readonly aliases: string;
  /** A virtual table. */
  readonly virtual?: string;
  /** Everything without a route leaves through here; without it, DNS is asked. */
  readonly nextHop?: number;
  /** Ports by destination domain. */
  readonly routes?: Readonly<Record<string, number>>;
  readonly resolver?: MxResolver;
  readonly trustedNetworks?: readonly string[];
  readonly maxMessageOctets?: number;
  /** The end of a client's patience. Default: never. */
  readonly timeIsUp?: AbortSignal;
  /** Ends of so many seconds, where they differ. */
  readonly timeLimit?: (seconds: number) => AbortSignal;
  readonly clock?: Clock;
  /** A queue, in this folder. */
  readonly stateFolder?: string;
  /** Left free on its disk: more than there is lets nothing in. */
  readonly minFreeOctets?: number;
  readonly spoolFirst?: boolean;
  readonly waits?: ForwarderSettings["waits"];
  readonly recipientDelimiter?: string;
  readonly queueTimes?: ForwarderSettings["queueTimes"];
  readonly bouncePolicy?: ForwarderSettings["bouncePolicy"];
  /** As `homing serve` has it. Default false. */
  readonly bounceThread?: boolean;
  readonly rememberHeaders?: boolean;
  /** Mail that is sent from here for somebody, and what returns of it. */
  readonly sentMail?: ForwarderSettings["sentMail"];
  /** Checks senders; without it, nobody is checked. */
  readonly authentication?: Partial<AuthenticationSettings> & { readonly dns: SpfResolver };
  readonly forwardedFields?: ForwarderSettings["forwardedFields"];
  readonly notSealed?: ForwarderSettings["notSealed"];
  readonly tls?: ForwarderSettings["tls"];
  /** It wants `tls` and `stateFolder`. */
  readonly submission?: ForwarderSettings["submission"];
}

export interface InProcessForwarder extends AsyncDisposable {
  readonly port: number;
  /** Where people submit mail. */
  readonly submission: Forwarder["submission"];
  readonly replaceTls: Forwarder["replaceTls"];
  readonly rewriter: Rewriter;
  readonly events: readonly ForwarderEvent[];
  readonly state: State | undefined;
  readonly post: Forwarder["post"];
}

/** DNS that refuses, as a story's machine does. */
const NO_DNS: MxResolver = {
  mx: async () => ({ kind: "failed", cause: "no DNS in this story" }),
  addresses: async () => ({ kind: "failed", cause: "no DNS in this story" }),
};

export async function inProcessForwarder(options: InProcessOptions): Promise<InProcessForwarder> {
  const domain = options.domain ?? SRS_DOMAIN;
  const { hostname = `mx.${domain}` } = options;
  const { recipientDelimiter = "" } = options;
  const rules = createTableRules({ domains: [domain], ownNames: [hostname], recipientDelimiter });
  const text = withPostmaster(options.aliases);
  const { virtual } = options;
  const files = { aliases: "aliases", ...(virtual === undefined ? {} : { virtual: "virtual" }) };
  const loaded = await loadTables(files, rules, async function* (file) {
    yield Buffer.from(file === "virtual" ? (virtual ?? "") : text);
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const now = (): number => NOW + Math.floor((options.clock?.now() ?? 0) / 1000);
  const state =
    options.stateFolder === undefined
      ? undefined
      : await openState({
          folder: options.stateFolder,
          maxAgeDays: 21,
          now,
          ...(options.minFreeOctets === undefined ? {} : { minFreeOctets: options.minFreeOctets }),
        });
  const rewriter = createRewriter({
    secrets: SECRETS,
    domain,
    ...(state ? { store: state.keptSenders.store } : {}),
  });
  const events: ForwarderEvent[] = [];
  let ids = 0;
  const forwarder = await startForwarder(
    {
      hostname,
      listen: { host: "127.0.0.1", port: options.port ?? 0 },
      rewriter,
      tables: loaded.tables,
      routes: new Map(
        Object.entries(options.routes ?? {}).map(([domain, port]) => [domain, { host: "127.0.0.1", port }]),
      ),
      smartHost: options.nextHop === undefined ? undefined : { host: "127.0.0.1", port: options.nextHop },
      privateNetworks: [],
      trustedNetworks: options.trustedNetworks ?? [],
      maxMessageOctets: options.maxMessageOctets ?? 1024 * 1024,
      maxClients: 100,
      maxHops: 50,
      loopSecrets: SECRETS,
      state,
      spoolFirst: options.spoolFirst ?? false,
      waits: options.waits ?? {},
      queueTimes: options.queueTimes ?? {},
      bouncePolicy: options.bouncePolicy,
      bounceThread: options.bounceThread ?? false,
      rememberHeaders: options.rememberHeaders ?? false,
      sentMail: options.sentMail,
      authentication: options.authentication && {
        authservId: hostname,
        policyFor: () => AUTHENTICATION_POLICY,
        relays: [],
        trustedForwarders: [],
        threads: 1,
        ...options.authentication,
      },
      ...(options.forwardedFields ? { forwardedFields: options.forwardedFields } : {}),
      ...(options.notSealed ? { notSealed: options.notSealed } : {}),
      tls: options.tls,
      submission: options.submission,
    },
    {
      now,
      newId: () => `id${++ids}`,
      random: () => 0,
      clock: options.clock ?? systemClock,
      timeLimit: (seconds) =>
        options.timeLimit?.(seconds) ?? options.timeIsUp ?? new AbortController().signal,
      resolver: options.resolver ?? NO_DNS,
      ...(options.authentication ? { dns: options.authentication.dns } : {}),
      report: (event) => events.push(event),
    },
  );
  return {
    port: forwarder.port,
    submission: forwarder.submission,
    replaceTls: forwarder.replaceTls,
    rewriter,
    events,
    state,
    post: forwarder.post,
    async [Symbol.asyncDispose]() {
      await forwarder.close();
      await state?.close();
    },
  };
}

// The forwarder, put together: SMTP in, routes, rewriting, SMTP out. Called by the composition root and by tests.
import { createBounceGate, createGuessBudget } from "@homing/bounce-handler";
import { type Mailbox, NULL_PATH } from "@homing/srs-core";
import {
  type RunningAuthentication,
  type Surroundings,
  startAuthentication,
} from "./authentication/from-settings.ts";
import { createBounces } from "./bounces/bounces.ts";
import { createFailures } from "./bounces/failures.ts";
import { createLinks, type Links } from "./bounces/links.ts";
import { countEaten } from "./bounces/sent-bounces.ts";
import { bugText } from "./bug-text.ts";
import { isListed } from "./client-networks.ts";
import { createForwardPolicy } from "./dot-forward/forward-policy.ts";
import type { Forwarder, ForwarderSettings, World } from "./forwarder-settings.ts";
import { createResources, type SmtpServerOptions } from "./front/front.ts";
import { createHeaderMarks } from "./header-mark.ts";
import { createLoopTokens } from "./loop-token.ts";
import { startMailOut } from "./mail-out.ts";
import { blockList } from "./networks.ts";
import { createPost, type Post } from "./posted-mail.ts";
import type { LeadsTo } from "./queue/dsn-message.ts";
import { QUEUE_TIMES } from "./queue/next-step.ts";
import { createReceiver, type ReceiveOptions } from "./receive.ts";
import { createRoutes } from "./routes.ts";
import { listenSmtp } from "./smtp-in.ts";
import { createSrsDomains, type SrsDomains } from "./srs-domains.ts";
import { listenForSubmission, NO_SUBMISSION } from "./submission/listen.ts";
import { isElsewhere, isOurs, mainDomain } from "./tables/tables.ts";
import { createTopFields } from "./top-fields.ts";

/** Starts listening. Rejects with the system's error where the port cannot be had. */
export async function startForwarder(settings: ForwarderSettings, world: World): Promise<Forwarder> {
  const { hostname, sentMail } = settings;
  const srsDomains = createSrsDomains(
    settings.rewriter,
    settings.rewriterByDomain ?? new Map(),
    sentMail?.rewriters,
  );
  let { tables } = settings;
  const gate = createBounceGate(
    srsDomains.at,
    createGuessBudget((alarm) => world.report({ event: "guessing", ...alarm })),
  );
  const routes = createRoutes({
    tables: () => tables,
    gate,
    forwards: settings.forwards && {
      reader: settings.forwards.reader,
      policy: createForwardPolicy({ choice: settings.forwards.choice }),
      now: world.now,
      alarm: (alarm) => world.report({ event: "forward-file", ...alarm }),
      unavailable: (user, cause) => world.report({ event: "forward-unavailable", user, cause }),
    },
    isReturnDomain: srsDomains.isReturnDomain,
    hostname,
    isNobody: sentMail && ((recipient) => sentMail.isNobody(recipient)),
    takesAnswers: async (unwrapped) => (await failures.aliasOf(unwrapped)).settings.autoReplies === "forward",
  });
  const isOurDomain = (domain: string): boolean => isOurs(tables.rules, domain);
  const routeOf = (address: Mailbox) =>
    routes.route(address, NULL_PATH, { now: world.now(), network: undefined });
  const isOutside = (domain: string): boolean =>
    isElsewhere(tables.rules, domain) && srsDomains.at(domain) === undefined;
  const leadsTo: LeadsTo = async (address) => {
    if (isOutside(address.domain)) return [{ mailbox: address, stays: false }];
    const route = await routeOf(address);
    if (route.kind === "refuse" && route.reply.code < 500) return "later";
    const destinations = route.kind === "alias" || route.kind === "bounce" ? route.destinations : [];
    return destinations.map(({ mailbox }) => ({ mailbox, stays: isOurDomain(mailbox.domain) }));
  };
  const headerMarks = createHeaderMarks(settings.loopSecrets);
  const loopTokens = createLoopTokens(settings.loopSecrets);
  const failures = createFailures(settings, world, { tables: () => tables, srsDomains, routeOf });
  const mailOut = await startMailOut(settings, world, failures, leadsTo);
  const links = settings.rememberHeaders ? linksOf(settings, world, srsDomains) : undefined;
  const ways = { headerMarks, links, loopTokens, leadsTo, srsDomains };
  const bounces = createBounces(settings, world, mailOut, failures, ways);
  const trusted = blockList(settings.trustedNetworks);
  const isTrusted = (address: string): boolean => isListed(trusted, address);
  const authentication = authenticationOf(settings, world, {
    hostname,
    isTrusted,
    isOurDomain,
    isSrsDomain: (domain) => srsDomains.at(domain) !== undefined,
    mainDomain: (domain) => mainDomain(tables.rules, domain),
  });
  const isTrustedAuthor = (address: string): boolean =>
    isTrusted(address) && authentication?.isRelay(address) !== true;
  const receiving: ReceiveOptions = {
    hostname,
    rewriterFor: (recipient) => srsDomains.forRecipientsAt(mainDomain(tables.rules, recipient.domain)),
    gate,
    isSrsDomain: (domain) => srsDomains.at(domain) !== undefined,
    isOurDomain,
    routes,
    // Behind a relay of ours are strangers, whatever network it is in.
    isTrusted: isTrustedAuthor,
    isOurServer: (address) => isTrusted(address) || authentication?.isRelay(address) === true,
    keptSenders: settings.state?.keptSenders,
    loopTokens,
    headerMarks,
    maxHops: settings.maxHops,
    authentication,
    topFields: createTopFields({
      forwarded: settings.forwardedFields ?? "none",
      seal: authentication?.seal,
      notSealed: settings.notSealed ?? new Set(),
      report: world.report,
    }),
    mayOwe: ({ client, reversePath }, isVerified) =>
      mailOut.queue !== undefined &&
      reversePath !== NULL_PATH &&
      (isVerified || isTrustedAuthor(client.address)),
    async handOver(mail, mayOwe) {
      links?.remember(mail);
      const reply = await mailOut.handOver(mail, mayOwe);
      if (sentMail && reply.code < 300) await countEaten(sentMail, mail, world);
      return reply;
    },
    bounces,
    now: world.now,
    newId: world.newId,
    report: world.report,
  };
  const { queue } = mailOut;
  const post: Post = queue
    ? createPost({
        ...{ hostname, routes, gate, isOurDomain, headerMarks, loopTokens, sentMail },
        takeAll: queue.takeAll,
        isElsewhere: isOutside,
        life: settings.queueTimes?.mail ?? QUEUE_TIMES.mail,
        now: world.now,
        report: world.report,
      })
    : async () => "failed";
  const server = serverOptions(settings, world);
  const { keep } = mailOut;
  const stop = async (): Promise<void> => {
    await bounces.close();
    await mailOut.close();
    await authentication?.close();
    await failures.kept?.close();
    settings.forwards?.reader.close();
  };
  const listen = async () => {
    const listener = await listenSmtp({ ...server, ...settings.listen }, createReceiver(receiving));
    if (!settings.submission) return { listener, submission: NO_SUBMISSION };
    const authservId = settings.authentication?.authservId ?? hostname;
    const around = { server, receiving, isOutside, keep, sentMail, authservId };
    const submission = await listenForSubmission(settings.submission, around).catch(
      async (error: unknown) => {
        await listener.close();
        throw error;
      },
    );
    return { listener, submission };
  };
  const { listener, submission } = await listen().catch(async (error: unknown) => {
    // The queue works already, and whoever has the state closes it next.
    mailOut.stop();
    await stop();
    throw error;
  });
  return {
    ...listener,
    submission,
    replaceTls(tls) {
      // Throws before anything changes where they do not fit.
      listener.replaceTls(tls);
      submission.replaceTls(tls);
    },
    async close() {
      mailOut.stop();
      await Promise.all([listener.close(), submission.close()]);
      await stop();
    },
    replaceTables(next) {
      tables = next;
    },
    replaceTrusted(entries) {
      authentication?.replaceTrusted(entries);
    },
    wakeQueue: mailOut.wakeQueue,
    droppedFromQueue: mailOut.dropped,
    post,
  };
}

/** Of all ports: memory and disk are there once. */
function serverOptions(settings: ForwarderSettings, { newId }: World): SmtpServerOptions {
  const { hostname, maxMessageOctets, maxClients, limits, greetDelayMs, minFreeOctets, tls } = settings;
  const stateFolder = settings.state?.folder;
  return {
    ...{
      hostname,
      maxMessageOctets,
      maxClients,
      limits,
      greetDelayMs,
      minFreeOctets,
      stateFolder,
      tls,
      newId,
    },
    resources: createResources({ stateFolder, minFreeOctets }),
    trusted: blockList(settings.trustedNetworks),
    xclientNetworks: blockList(settings.xclientNetworks ?? []),
    proxyNetworks: blockList(settings.proxyNetworks ?? []),
  };
}

function authenticationOf(
  { authentication }: ForwarderSettings,
  { dns, ...world }: World,
  surroundings: Surroundings,
): RunningAuthentication | undefined {
  if (!authentication) return undefined;
  if (!dns) throw new Error("authentication wants DNS");
  return startAuthentication(authentication, { dns, ...world }, surroundings);
}

/** On the disk, or not at all. */
function linksOf({ state }: ForwarderSettings, world: World, srsDomains: SrsDomains): Links | undefined {
  return (
    state &&
    createLinks({
      notes: state.failures.notes,
      srsDomains,
      now: world.now,
      failed(error) {
        world.report({ event: "error", session: "", message: bugText(error) });
      },
    })
  );
}

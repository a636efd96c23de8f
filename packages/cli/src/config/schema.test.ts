import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "./load-config.ts";

const MINIMAL = `hostname: mx.ours.test
domains: [ours.test]
aliasesFile: aliases
srs:
  domain: srs.ours.test
  secretsFile: secrets
`;

test("what the file leaves out has its default", () => {
  assert.deepEqual(parseConfig(MINIMAL, "homing.yaml"), {
    hostname: "mx.ours.test",
    listen: { host: "0.0.0.0", port: 25 },
    domains: ["ours.test"],
    aliasesFile: "aliases",
    domainAliases: {},
    domainSettings: {},
    recipientDelimiter: "",
    keepExtension: false,
    srs: {
      domain: "srs.ours.test",
      secretsFile: "secrets",
      scheme: "strong",
      separator: "=",
      tagLength: 4,
      alphabet: "base64",
      weakSecret: false,
      maxAgeDays: 21,
      keptSenders: 250_000,
      keptSendersPerNetwork: 10_000,
    },
    delivery: {
      routes: {},
      privateNetworks: [],
      mtaSts: true,
      connections: { perServer: 20, perServerOfQueue: 5, inAll: 500, messages: 100, idleSeconds: 10 },
      acceptance: "in-session",
      waits: { verifiedSeconds: 15, unverifiedSeconds: 240 },
      forwardedFields: "alias",
    },
    authentication: {
      mode: "enforce",
      spf: {
        fail: "refuse",
        softfail: "accept",
        neutral: "accept",
        none: "accept",
        temperror: "defer",
        permerror: "tag",
      },
      dmarc: { reject: "refuse", quarantine: "tag", unclear: "refuse" },
      ownDomains: "tag",
      dnsbl: [],
      rhsbl: [],
      relays: [],
      threads: 2,
    },
    dns: { servers: [] },
    queue: {
      mailHours: 96,
      dsnHours: 48,
      delayNoticeHours: 4,
      firstRetryMinutes: 5,
      maxRetryMinutes: 60,
      attempts: 200,
      attemptsPerDomain: 50,
      beyondBatv: false,
    },
    bounces: {
      diagnostic: "code",
      return: "reissue",
      autoReplies: "refuse",
      remember: "none",
      aliases: {},
    },
    trustedNetworks: [],
    xclientNetworks: [],
    proxyNetworks: [],
    limits: {
      messageOctets: 26_214_400,
      clients: 100,
      clientsPerNetwork: 50,
      recipients: 1000,
      errors: 20,
      junkCommands: 100,
      commandSeconds: 300,
      stressSeconds: 10,
      dataOctetsPerSecond: 500,
      greetDelayMs: 0,
      hops: 50,
      freeOctets: 134_217_728,
    },
    log: { addresses: "full" },
  });
});

test("every setting is read; U-labels become A-labels", () => {
  const config = parseConfig(
    `hostname: mx.bücher.test
listen: "[::1]:2525"
domains: [bücher.test, Ours.Test]
aliasesFile: /etc/aliases
virtualFile: virtual
domainAliases: { Alt.Bücher.test: bücher.test }
domainSettings:
  BÜCHER.test: { srsDomain: srs.ours.test, unknownReply: 551 moved away }
  ours.test:
    unknownReply: 4.1.1 not yet
    authentication: { mode: off, spf: { fail: accept } }
    bounces: { diagnostic: redacted, return: { spam: silent }, owner: o@a.test, autoReplies: refuse }
recipientDelimiter: "+"
keepExtension: true
log: { addresses: hash }
srs:
  domain: srs.bücher.test
  secretsFile: s
  scheme: classic
  accept: [classic, strong, exim]
  separator: +
  tagLength: 8
  minTagLength: 5
  alphabet: base64url
  weakSecret: true
  maxAgeDays: 7
  keptSenders: 1000
  keptSendersPerNetwork: 100
delivery:
  routes: { a.test: "192.0.2.1:24" }
  smartHost: smart.test:587
  privateNetworks: [10.1.0.0/16]
  smartHostTls: required
  smartHostImplicitTls: true
  smartHostLogin: { user: u, passwordFile: p }
  mtaSts: false
  connections: { perServer: 4, perServerOfQueue: 2, inAll: 9, messages: 7, idleSeconds: 0 }
  messagesPerSecond: 3
  forwardedFields: full
  acceptance: spooled
  waits: { verifiedSeconds: 0, unverifiedSeconds: 540 }
queue:
  mailHours: 120
  dsnHours: 72
  delayNoticeHours: 1
  firstRetryMinutes: 1
  maxRetryMinutes: 2
  attempts: 10
  attemptsPerDomain: 3
  beyondBatv: true
bounces:
  diagnostic: none
  return: { hard: verbatim, soft: owner, policy: both, spam: silent, delay: reissue }
  owner: '"Two words"@bücher.test'
  autoReplies: forward
  remember: headers
  aliases:
    Bob@ours.test: { diagnostic: code, return: both, owner: p@a.test, autoReplies: refuse }
authentication:
  mode: tagOnly
  spf: { fail: tag, softfail: tag, neutral: tag, none: refuse, temperror: accept, permerror: refuse }
  dmarc: { reject: tag, quarantine: accept, unclear: tag }
  ownDomains: refuse
  dnsbl: [clients.test]
  rhsbl: [domains.test]
  authservId: Ours.test
  relays: [192.0.2.9]
  trustedForwardersFile: trusted
  threads: 1
  arc: { domain: ours.test, selector: s1, keyFile: k, except: [a.test] }
dns: { servers: ["127.0.0.1:5353", "[::1]:53"] }
stateDirectory: /var/lib/homing
trustedNetworks: [192.0.2.1, 192.0.2.0/24, "2001:db8::/32", "::1"]
xclientNetworks: [192.0.2.2]
proxyNetworks: [192.0.2.3]
tls: { certificateFile: c, keyFile: k }
limits:
  messageOctets: 65536
  clients: 1
  clientsPerNetwork: 0
  recipients: 100
  errors: 1
  junkCommands: 2
  commandSeconds: 10
  stressSeconds: 1
  dataOctetsPerSecond: 3
  greetDelayMs: 4
  hops: 10
  freeOctets: 1048576
`,
    "homing.yaml",
  );
  assert.deepEqual(config, {
    hostname: "mx.xn--bcher-kva.test",
    listen: { host: "::1", port: 2525 },
    domains: ["xn--bcher-kva.test", "Ours.Test"],
    aliasesFile: "/etc/aliases",
    virtualFile: "virtual",
    domainAliases: { "alt.xn--bcher-kva.test": "xn--bcher-kva.test" },
    domainSettings: {
      "xn--bcher-kva.test": {
        srsDomain: "srs.ours.test",
        unknownReply: { code: 551, enhanced: "5.1.1", text: "moved away" },
      },
      "ours.test": {
        unknownReply: { code: 450, enhanced: "4.1.1", text: "not yet" },
        authentication: { mode: "off", spf: { fail: "accept" } },
        bounces: {
          diagnostic: "redacted",
          return: { spam: "silent" },
          owner: { localPart: "o", domain: "a.test" },
          autoReplies: "refuse",
        },
      },
    },
    recipientDelimiter: "+",
    keepExtension: true,
    srs: {
      domain: "srs.xn--bcher-kva.test",
      secretsFile: "s",
      scheme: "classic",
      accept: ["classic", "strong", "exim"],
      separator: "+",
      tagLength: 8,
      minTagLength: 5,
      alphabet: "base64url",
      weakSecret: true,
      maxAgeDays: 7,
      keptSenders: 1000,
      keptSendersPerNetwork: 100,
    },
    delivery: {
      routes: { "a.test": { host: "192.0.2.1", port: 24 } },
      smartHost: { host: "smart.test", port: 587 },
      privateNetworks: ["10.1.0.0/16"],
      smartHostTls: "required",
      smartHostImplicitTls: true,
      smartHostLogin: { user: "u", passwordFile: "p" },
      mtaSts: false,
      connections: { perServer: 4, perServerOfQueue: 2, inAll: 9, messages: 7, idleSeconds: 0 },
      messagesPerSecond: 3,
      acceptance: "spooled",
      forwardedFields: "full",
      waits: { verifiedSeconds: 0, unverifiedSeconds: 540 },
    },
    queue: {
      mailHours: 120,
      dsnHours: 72,
      delayNoticeHours: 1,
      firstRetryMinutes: 1,
      maxRetryMinutes: 2,
      attempts: 10,
      attemptsPerDomain: 3,
      beyondBatv: true,
    },
    bounces: {
      diagnostic: "none",
      return: {
        hard: "verbatim",
        soft: "owner",
        policy: "both",
        spam: "silent",
        delay: "reissue",
        success: "reissue",
      },
      owner: { localPart: "Two words", domain: "xn--bcher-kva.test" },
      autoReplies: "forward",
      remember: "headers",
      aliases: {
        "Bob@ours.test": {
          diagnostic: "code",
          return: "both",
          owner: { localPart: "p", domain: "a.test" },
          autoReplies: "refuse",
        },
      },
    },
    stateDirectory: "/var/lib/homing",
    trustedNetworks: ["192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "::1"],
    xclientNetworks: ["192.0.2.2"],
    proxyNetworks: ["192.0.2.3"],
    tls: { certificateFile: "c", keyFile: "k" },
    limits: {
      messageOctets: 65_536,
      clients: 1,
      clientsPerNetwork: 0,
      recipients: 100,
      errors: 1,
      junkCommands: 2,
      commandSeconds: 10,
      stressSeconds: 1,
      dataOctetsPerSecond: 3,
      greetDelayMs: 4,
      hops: 10,
      freeOctets: 1_048_576,
    },
    authentication: {
      mode: "tagOnly",
      spf: {
        fail: "tag",
        softfail: "tag",
        neutral: "tag",
        none: "refuse",
        temperror: "accept",
        permerror: "refuse",
      },
      dmarc: { reject: "tag", quarantine: "accept", unclear: "tag" },
      ownDomains: "refuse",
      dnsbl: ["clients.test"],
      rhsbl: ["domains.test"],
      authservId: "Ours.test",
      relays: ["192.0.2.9"],
      trustedForwardersFile: "trusted",
      threads: 1,
      arc: { domain: "ours.test", selector: "s1", keyFile: "k", except: ["a.test"] },
    },
    dns: {
      servers: [
        { host: "127.0.0.1", port: 5353 },
        { host: "::1", port: 53 },
      ],
    },
    log: { addresses: "hash" },
  });
});

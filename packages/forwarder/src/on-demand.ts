// What needs the SMTP libraries, loaded at the first call: a process that only reads a configuration, asks DNS or serves
// another mail server does without their 40 MB. Called by the composition root and by tests.
import type * as Forwarding from "./forwarder.ts";
import type * as SmtpIn from "./smtp-in.ts";
import type * as SmtpOut from "./smtp-out.ts";

export const startForwarder: typeof Forwarding.startForwarder = async (settings, world) =>
  await (await import("./forwarder.ts")).startForwarder(settings, world);

export const listenSmtp: typeof SmtpIn.listenSmtp = async (options, handler) =>
  await (await import("./smtp-in.ts")).listenSmtp(options, handler);

export const submit: typeof SmtpOut.submit = async (submission) =>
  await (await import("./smtp-out.ts")).submit(submission);

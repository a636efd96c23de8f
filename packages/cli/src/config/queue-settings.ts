// The map `queue`: how long mail is tried. Called by schema.ts.
import { QUEUE_TIMES } from "@homing/forwarder/settings";
import * as z from "zod";
import { wholeNumber } from "./setting-types.ts";

const HOUR = 3600;
const MINUTE = 60;
/** BATV tags, which a sender's own address may carry, are good for seven days. */
const BATV_HOURS = 7 * 24;

export const queue = z
  .strictObject({
    mailHours: wholeNumber(1, 720)
      .default(QUEUE_TIMES.mail / HOUR)
      .describe("How long a message is tried."),
    dsnHours: wholeNumber(1, 720)
      .default(QUEUE_TIMES.dsn / HOUR)
      .describe("How long a delivery status notification of ours is tried."),
    delayNoticeHours: wholeNumber(1, 720)
      .default(QUEUE_TIMES.delayNotice / HOUR)
      .describe("After so long the sender is told of the delay."),
    firstRetryMinutes: wholeNumber(1, 1440)
      .default(QUEUE_TIMES.firstRetry / MINUTE)
      .describe("Between the first attempt and the second; from then on as long again as it took."),
    maxRetryMinutes: wholeNumber(1, 1440)
      .default(QUEUE_TIMES.maxRetry / MINUTE)
      .describe("The longest time between two attempts."),
    attempts: wholeNumber(1, 2000).default(200).describe("Attempts at the same time."),
    attemptsPerDomain: wholeNumber(1, 2000).default(50).describe("Of those, to one domain."),
    beyondBatv: z
      .boolean()
      .default(false)
      .describe("Allow seven days and more for a message and its notification together.")
      .meta({
        notes: "a sender whose address has a BATV tag cannot get a notification that comes after seven days.",
      }),
  })
  .superRefine(({ mailHours, dsnHours, firstRetryMinutes, maxRetryMinutes, beyondBatv }, context) => {
    const wrong = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    if (!beyondBatv && mailHours + dsnHours >= BATV_HOURS)
      wrong(
        "mailHours",
        `and dsnHours are ${mailHours + dsnHours} together, and BATV tags are good for ${BATV_HOURS}: ` +
          "lower one of them, or set beyondBatv to true",
      );
    if (firstRetryMinutes > maxRetryMinutes)
      wrong("firstRetryMinutes", `is more than maxRetryMinutes, ${maxRetryMinutes}: lower it`);
  })
  .prefault({})
  .describe("Mail that waits for its next hop.");

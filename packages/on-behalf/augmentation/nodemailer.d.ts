// `onBehalfOf` in the types of nodemailer: those of nodemailer 10 and later, and @types/nodemailer. A program in TypeScript says
// once: import "@homing/on-behalf/nodemailer". Copied into the package by scripts/pack-on-behalf.ts.
import "nodemailer/lib/mailer/index.js";
import type { OnBehalfOf } from "./index.js";

declare module "nodemailer/lib/mailer/index.js" {
  interface Options {
    /** In whose name the message goes out. Needs the plug-in of @homing/on-behalf. */
    onBehalfOf?: OnBehalfOf;
  }
}

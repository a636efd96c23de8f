// The map `tls`: the certificate for clients that ask for STARTTLS. Called by schema.ts.
import * as z from "zod";
import { fileName } from "./setting-types.ts";

export const tls = z
  .strictObject({
    certificateFile: fileName
      .describe("PEM: our certificate, and those behind it.")
      .meta({ example: "/etc/homing/tls/fullchain.pem" }),
    keyFile: fileName.describe("PEM: its key.").meta({ example: "/etc/homing/tls/privkey.pem" }),
  })
  .describe("Offers STARTTLS, TLS 1.2 and later. Without it, clients cannot encrypt.")
  .meta({
    notes:
      "SIGHUP takes new files, as a tool that renews them can send it; the key is read by the service's user.",
  });

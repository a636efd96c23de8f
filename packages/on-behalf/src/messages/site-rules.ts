// What a site may, whatever the message says. Called by check-request.ts, and by admissions.ts for mail that came over SMTP.
import { type Refused, refused } from "../problem.ts";
import type { Profile, Site } from "../site.ts";

export function checkProfile(
  site: Site,
  profile: Profile,
  onBehalfOf: string | undefined,
): Refused | undefined {
  if (!site.profiles.has(profile)) {
    return refused("profile-not-allowed", `${site.name} may not send mail of the profile ${profile}`, {
      field: "profile",
      hint: `its profiles are ${[...site.profiles].join(", ")}; they are in the configuration of the server`,
    });
  }
  if (profile !== "on-behalf" || onBehalfOf !== undefined) return undefined;
  return refused("invalid-field", "onBehalfOf is missing", {
    field: "onBehalfOf",
    hint: "give the id of the user's identity, or his address",
  });
}

export function checkCount(site: Site, recipients: number): Refused | undefined {
  const most = site.limits.recipients;
  if (recipients <= most) return undefined;
  return refused("too-many-recipients", `the message has ${recipients} recipients, ${most} are allowed`, {
    field: "to",
    hint: "this is for mail to few people: for many, let them subscribe",
  });
}

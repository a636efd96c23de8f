// What a site may, whatever the message says. Called by check-request.ts, and by admissions.ts for mail that came over SMTP.
import { type Refused, refused } from "../problem.ts";
import type { FromMode, Profile, Site } from "../site.ts";

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

/** The operator's setting, and what a message may ask for: less, never more. */
const NARROWER: Readonly<Record<FromMode, readonly FromMode[]>> = {
  auto: ["auto", "site", "user"],
  user: ["user", "site"],
  site: ["site"],
};

export function allowsFrom(site: Site, mode: FromMode): boolean {
  return NARROWER[site.fromMode].includes(mode);
}

/** @param mode of the request */
export function checkFromMode(site: Site, mode: FromMode | undefined): Refused | undefined {
  if (mode === undefined || allowsFrom(site, mode)) return undefined;
  const allowed = NARROWER[site.fromMode].join(" or ");
  return refused(
    "invalid-field",
    `fromMode is more than ${site.name} may: on this server it has ${site.fromMode}`,
    {
      field: "fromMode",
      hint: `leave it out, or write ${allowed}`,
    },
  );
}

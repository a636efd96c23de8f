// What people are told when a link or a button does not do what it is for: not what developers are told. Called by people.ts.
import { PROBLEMS, type Problem } from "@homing/on-behalf";
import { html } from "hono/html";
import { type Html, type Page, plainPage } from "../page.ts";

export function refusedPage({ type }: Problem): Page {
  switch (type) {
    case "token-malformed":
    case "token-wrong":
      return plainPage(
        "This link is not complete",
        "It is none that this server has made, or something of it is missing: mail programs break long links at the end of a line.",
        "Copy all of the link out of the mail, up to the last character, and try again.",
      );
    case "token-expired":
      return {
        title: "This link is too old",
        body: html`<p>Nothing was changed. A link that confirms an address is good for 24 hours, one to see and
end what is sent for 180 days.</p>
<p>If you want to confirm your address still, ask the web site for a new mail. To see and end what is sent in your name, or
to you, <a href="mine">have a new link mailed to you</a>.</p>` as Html,
      };
    case "token-used":
      return {
        title: "This link was used before",
        body: html`<p>A link confirms once. If you have just pressed the button twice, your address is confirmed: go back to the
web site.</p>
<p>If it was not you, the other link in the mail that brought you here ends the permission. It stands in every report about
mail that came back, too, and <a href="mine">a new one is mailed to you</a> when you want it.</p>` as Html,
      };
    case "limit-links":
      return plainPage(
        "No more links are mailed today",
        "So many were asked for, from where you are or altogether, that this server mails none for some hours. Nothing was changed.",
        "The link in mail that you have does the same: in the mail that asked you to confirm, and at the foot of mail that came " +
          "to you.",
      );
    case "not-found":
      return plainPage(
        "That is not there any more",
        "Nothing was changed. Open the link once more, to see what there is.",
      );
    case "unavailable":
      return plainPage(
        "That is not possible just now",
        "This server cannot store anything at the moment. Nothing was changed.",
        "Try again in some minutes: the link stays good.",
      );
    default:
      return plainPage("That was not done", `${PROBLEMS[type].title}. Nothing was changed.`);
  }
}

export const NO_FORM = plainPage(
  "That was not understood",
  "This page can be read, and its buttons pressed. What was sent is neither. Nothing was changed.",
  "Open the link once more, and press the button there.",
);
export const NO_TOKEN = plainPage(
  "This link is not complete",
  "The part behind the question mark is missing: mail programs break long links at the end of a line.",
  "Copy all of the link out of the mail, up to the last character, and try again.",
);

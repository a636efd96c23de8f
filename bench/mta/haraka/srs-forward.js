// Haraka's plugin for the benchmark: an alias is forwarded with an SRS sender by npm's srs.js, a bounce is unwrapped.
// Haraka loads a copy of it; haraka-peer.ts writes its settings, config/srs-forward.json.
const SRS = require("srs.js");
const { Address } = require("@haraka/email-address");

let settings;
let rewriter;

exports.register = function () {
  settings = this.config.get("srs-forward.json");
  rewriter = new SRS({ secret: settings.secret });
  this.register_hook("rcpt", "route");
  this.register_hook("data_post", "rewrite");
  this.register_hook("get_mx", "nextHop");
};

exports.route = (next, connection, [recipient]) => {
  const notes = connection.transaction.notes;
  const alias = settings.aliases[recipient.user];
  if (recipient.host !== settings.domain) return next(DENY, "relay not permitted");
  if (/^SRS0[=+-]/i.test(recipient.user)) notes.target = reversed(recipient.user);
  else if (alias !== undefined) Object.assign(notes, { target: alias, forward: true });
  if (notes.target === undefined) return next(DENY, "no such user");
  connection.relaying = true;
  return next(OK);
};

exports.rewrite = (next, connection) => {
  const transaction = connection.transaction;
  const { user, host } = transaction.mail_from;
  transaction.rcpt_to = [new Address(`<${transaction.notes.target}>`)];
  if (transaction.notes.forward && user) {
    transaction.mail_from = new Address(`<${rewriter.rewrite(user, host)}@${settings.domain}>`);
  }
  next();
};

exports.nextHop = (next, _mail, domain) => next(OK, { exchange: "127.0.0.1", port: settings.routes[domain] });

function reversed(localPart) {
  try {
    return rewriter.reverse(localPart).join("@");
  } catch {
    return undefined;
  }
}

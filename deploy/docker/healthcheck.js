// Exit code 0 when an SMTP server on 127.0.0.1 greets. Called by HEALTHCHECK: node healthcheck.js PORT
import { connect } from "node:net";
import process from "node:process";

const PATIENCE_MS = 5_000;

const socket = connect(Number(process.argv[2]), "127.0.0.1");
let heard = "";

/** @param {string} what */
function unhealthy(what) {
  process.stderr.write(`${what}\n`);
  process.exit(1);
}

socket.setEncoding("latin1");
socket.setTimeout(PATIENCE_MS, () => unhealthy(`no greeting within ${PATIENCE_MS / 1000} s`));
socket.on("error", (error) => unhealthy(error.message));
socket.on("close", () => unhealthy("closed without a greeting"));
socket.on("data", (text) => {
  heard += text;
  if (!heard.includes("\n") && heard.length < 1000) return;
  if (!heard.startsWith("220")) unhealthy(`greeted with ${JSON.stringify(heard.slice(0, 100))}`);
  // Without QUIT the server would log nothing either, but this is polite.
  socket.end("QUIT\r\n", () => process.exit(0));
});

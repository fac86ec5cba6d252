// A mail server that is not ours (npm's smtp-server), for tests/suite/mail.rs. It asks for a user and a password, and
// answers recipients by their name: busy@ is refused for now the first time, nobody@ for good. It prints its port, then
// every letter it took as one line of JSON, and ends when its input does.
//
//   node server.mjs <tls|starttls|none> [<key file> <certificate file>]

import { readFileSync } from "node:fs";
import { SMTPServer } from "smtp-server";

const [security, key, cert] = process.argv.slice(2);
const busy = new Set();

const refusal = (code, message) => Object.assign(new Error(message), { responseCode: code });

const server = new SMTPServer({
  secure: security === "tls",
  hideSTARTTLS: security !== "starttls",
  allowInsecureAuth: security === "none",
  ...(key ? { key: readFileSync(key), cert: readFileSync(cert) } : {}),
  logger: false,
  onAuth(auth, session, done) {
    const right = auth.username === "panelone" && auth.password === "0123456";
    done(right ? null : refusal(535, "wrong user or password"), { user: auth.username });
  },
  onRcptTo(address, session, done) {
    const [name] = address.address.split("@");
    if (name === "nobody") return done(refusal(550, "no such user here"));
    if (name === "busy" && !busy.has(address.address)) {
      busy.add(address.address);
      return done(refusal(451, "come back later"));
    }
    done();
  },
  onData(stream, session, done) {
    const parts = [];
    stream.on("data", (part) => parts.push(part));
    stream.on("end", () => {
      const { mailFrom, rcptTo } = session.envelope;
      const letter = {
        from: mailFrom.address,
        to: rcptTo.map((one) => one.address),
        secure: session.secure,
        user: session.user,
        text: Buffer.concat(parts).toString("utf8"),
      };
      process.stdout.write(`${JSON.stringify(letter)}\n`);
      done();
    });
  },
});
server.on("error", () => {});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.server.address().port}\n`));

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));

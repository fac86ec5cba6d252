// An authorization server that is not ours (npm's oidc-provider), for tests/suite/oidc.rs. Whoever comes is signed in
// and consents at once. It prints its port, and ends when its input does.
//
//   node server.mjs <redirect uri>

import { createServer } from "node:http";
import { once } from "node:events";
import Provider from "oidc-provider";

const [redirect] = process.argv.slice(2);

const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const origin = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(origin, {
  clients: [
    {
      client_id: "panelone-test",
      client_secret: "a-secret-of-the-test-only",
      redirect_uris: [redirect],
      // A plain http address is allowed to native applications on the loopback only.
      application_type: "native",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_post",
    },
    {
      client_id: "panelone-test:basic",
      client_secret: "a secret/with+odd %characters",
      redirect_uris: [redirect],
      application_type: "native",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_basic",
    },
  ],
  scopes: ["openid", "profile", "email", "offline_access", "workflowmax"],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  ttl: { AccessToken: 1800, RefreshToken: 60 * 86_400, AuthorizationCode: 60, Session: 600, Grant: 60 * 86_400, Interaction: 600 },
  cookies: { keys: ["a key of the test only"] },
  features: { devInteractions: { enabled: false } },
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  routes: { authorization: "/oauth/authorize", token: "/oauth/token" },
});

const app = provider.callback();
server.on("request", async (request, response) => {
  if (!request.url.startsWith("/interaction/")) {
    return app(request, response);
  }
  try {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (prompt.name === "login") {
      return await provider.interactionFinished(request, response, { login: { accountId: "someone" } });
    }
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope("openid profile email offline_access workflowmax");
    const grantId = await grant.save();
    await provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true });
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});

process.stdout.write(`${server.address().port}\n`);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));

// A real OpenID provider (panva's oidc-provider) on loopback. One JSON object a line on stdin sets what it knows:
// {"client": {…}} registers a relying party, {"account": {"sub": …, "groups": […], …}} somebody who can sign in.
// Each line is answered by one on stdout; the first line out says where it is.
import { createInterface } from "node:readline";
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";
import MemoryAdapter from "../../node_modules/oidc-provider/lib/adapters/memory_adapter.js";

const options = JSON.parse(process.argv[2] ?? "{}");
const WORD = "tango";
const accounts = new Map();
const clients = new Map();

class Adapter extends MemoryAdapter {
  async find(id) {
    return this.model === "Client" ? clients.get(id) : super.find(id);
  }
}

const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://localhost:${server.address().port}`;
const say = (said) => process.stdout.write(`${JSON.stringify(said)}\n`);

const provider = new Provider(issuer, {
  adapter: Adapter,
  jwks: { keys: [{ ...key, use: "sig", alg: "RS256", kid: "one" }] },
  cookies: { keys: ["a key for the cookies of a test"] },
  claims: { openid: ["sub", "amr"], profile: ["name", "preferred_username"], groups: ["groups"] },
  scopes: ["openid", "profile", "groups"],
  // By the letter of the specification what a scope asks for is told at the userinfo endpoint; many tell it at once.
  conformIdTokenClaims: !options.groupsInIdToken,
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  // It asks no address of its own machine unless it is let: a relying party could point it anywhere.
  fetch: (url, { dispatcher, ...init }) => fetch(url, init),
  pkce: { required: () => true },
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  findAccount: (_, sub) => (accounts.has(sub) ? { accountId: sub, claims: () => accounts.get(sub) } : undefined),
  // An organisation's own application asks nobody for consent.
  async loadExistingGrant(context) {
    const { client, session } = context.oidc;
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid profile groups");
    await grant.save();
    return grant;
  },
});
for (const event of ["server_error", "authorization.error", "grant.error", "backchannel.error"]) {
  provider.on(event, (_, error) => say({ event, error: String(error), description: error.error_description }));
}

const page = (uid, said) => `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Borough accounts</title>
<h1>Borough accounts</h1><p role="alert">${said}</p>
<form method="post" action="/interaction/${uid}"><label>Name at the borough <input name="account" autofocus></label>
<label>Secret word <input name="word" type="password"></label><button>Continue</button></form>
<a href="/interaction/${uid}/abort">Cancel</a>`;

async function interaction(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.url.endsWith("/abort")) {
    return provider.interactionFinished(request, response, { error: "access_denied" });
  }
  let said = "";
  if (request.method === "POST") {
    let body = "";
    for await (const part of request) body += part;
    const given = new URLSearchParams(body);
    const account = accounts.get(given.get("account"));
    if (account && given.get("word") === WORD) {
      const { sub: accountId, amr = ["pwd"] } = account;
      return provider.interactionFinished(request, response, { login: { accountId, amr } });
    }
    said = "That is not right.";
  }
  response.setHeader("Content-Type", "text/html");
  return response.end(page(uid, said));
}

const callback = provider.callback();
server.on("request", (request, response) => {
  if (!request.url.startsWith("/interaction/")) return callback(request, response);
  return interaction(request, response).catch((error) => say({ event: "interaction", error: String(error) }));
});
say({ issuer });

for await (const line of createInterface({ input: process.stdin })) {
  const { client, account } = JSON.parse(line);
  if (client) clients.set(client.client_id, client);
  if (account) accounts.set(account.sub, account);
  say({ done: true });
}
process.exit(0);

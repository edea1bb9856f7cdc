// A real OAuth 2.0 authorization server that stands in for an identity provider's tenant, on https at localhost.
//
// Usage: node server.mjs, with its configuration as one line of JSON on standard input:
//   {port, tenant, tenantId, certificate, key, jwk, clients: [{id, secret | jwk, method, mailbox, audience, roles, scopes}]}
// It prints "ready" once it listens, and ends when standard input does: however the tests end, it does not stay behind.
import https from "node:https";
import { createInterface } from "node:readline";

import Provider from "oidc-provider";

const input = createInterface({ input: process.stdin });
const configuration = JSON.parse(await new Promise((resolve) => input.once("line", resolve)));
input.once("close", () => process.exit(0));

const prefix = `/${configuration.tenant}/v2.0`;
const issuer = `https://localhost:${configuration.port}${prefix}`;
const resource = "https://outlook.office365.com";
const own = new Map(configuration.clients.map((client) => [client.id, client]));
const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";

const provider = new Provider(issuer, {
  clients: configuration.clients.map((client) => ({
    client_id: client.id,
    client_secret: client.secret,
    token_endpoint_auth_method: client.method,
    ...(client.method === "private_key_jwt" && {
      jwks: { keys: [client.jwk] },
      token_endpoint_auth_signing_alg: "PS256",
    }),
    application_type: client.method === "none" ? "native" : "web",
    grant_types: client.method === "none" ? [DEVICE, "refresh_token"] : ["client_credentials"],
    redirect_uris: [],
    response_types: [],
  })),
  jwks: { keys: [configuration.jwk] },
  cookies: { keys: ["not a secret: nobody has a session here"] },
  scopes: ["openid", "profile", "offline_access"],
  claims: { openid: ["sub"], profile: ["preferred_username"] },
  findAccount: async (_, sub) => ({
    accountId: sub,
    claims: async () => ({ sub, preferred_username: sub }),
  }),
  conformIdTokenClaims: false,
  ttl: { AccessToken: 3600, ClientCredentials: 3600, DeviceCode: 300, RefreshToken: 86400, Grant: 86400, IdToken: 3600 },
  issueRefreshToken: async () => true,
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, indicator, client) => ({
        scope: "https://outlook.office365.com/.default https://outlook.office.com/SMTP.Send",
        audience: own.get(client.clientId).audience ?? indicator,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
  extraTokenClaims: (_, token) => {
    const client = own.get(token.clientId);
    return {
      tid: configuration.tenantId,
      appid: client.id,
      email: client.mailbox,
      nbf: Math.floor(Date.now() / 1000) - 60,
      ...(token.accountId ? { scp: client.scopes } : { roles: client.roles }),
    };
  },
  formats: {
    customizers: {
      // Dovecot takes no other type.
      jwt: (_, __, jwt) => {
        jwt.header = { typ: "JWT" };
      },
    },
  },
});

// What the person does in a browser: enter the code and agree.
async function approve(userCode, mailbox) {
  const code = await provider.DeviceCode.findByUserCode(userCode, { ignoreExpiration: false });
  const grant = new provider.Grant({ accountId: mailbox, clientId: code.clientId });
  grant.addOIDCScope("openid profile offline_access");
  grant.addResourceScope(resource, "https://outlook.office.com/SMTP.Send");
  Object.assign(code, {
    accountId: mailbox,
    grantId: await grant.save(),
    scope: "openid profile offline_access https://outlook.office.com/SMTP.Send",
    authTime: Math.floor(Date.now() / 1000),
    claims: {},
    resource,
  });
  await code.save();
}

const serve = provider.callback();
https
  .createServer({ cert: configuration.certificate, key: configuration.key }, async (request, response) => {
    const url = new URL(request.url, issuer);
    if (url.pathname === "/approve") {
      try {
        await approve(url.searchParams.get("code").replaceAll("-", ""), url.searchParams.get("mailbox"));
        response.writeHead(204).end();
      } catch (error) {
        response.writeHead(500).end(String(error));
      }
    } else if (request.url.startsWith(prefix)) {
      request.originalUrl = request.url;
      request.url = request.url.slice(prefix.length);
      await serve(request, response);
    } else {
      // As Microsoft's does it.
      response.writeHead(400, { "Content-Type": "application/json" }).end(
        JSON.stringify({ error: "invalid_tenant", error_description: "AADSTS90002: Tenant not found.", error_codes: [90002] }),
      );
    }
  })
  .listen(configuration.port, "127.0.0.1", () => console.log("ready"));

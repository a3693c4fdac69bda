// Signing in by oauth4webapi, a client that others wrote: every grant, refreshing, revoking and asking about a
// token. The library checks what it is told: metadata, `state`, `iss`, the form of each answer, the signature
// and the claims of access tokens.
//
//     node build/standard_client.js http://127.0.0.1:8000 setting.json
//
// `setting.json`: an account of the demonstration, and the clients (see tests/acceptance/standard_clients.py).
// Prints a line for each step; the first thing that is not as it should be ends it.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import * as oauth from "oauth4webapi";

type Confidential = { client_id: string; client_secret: string };
type Setting = {
  account: { email: string; password: string };
  redirect_uri: string;
  scope: string;
  app: { client_id: string };
  portal: Confidential;
  integration: Confidential;
  keyed: { client_id: string; kid: string; key: webcrypto.JsonWebKey };
};

const [base, file] = process.argv.slice(2);
assert.ok(base && file, "node build/standard_client.js http://127.0.0.1:8000 setting.json");
const setting = JSON.parse(readFileSync(file, "utf8")) as Setting;

// A server on the same machine, without TLS; against any other this must go.
const loopback = { [oauth.allowInsecureRequests]: true };

const server = await (async () => {
  const issuer = new URL(base);
  const answer = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...loopback });
  return oauth.processDiscoveryResponse(issuer, answer);
})();
assert.ok(server.authorization_response_iss_parameter_supported);
assert.deepEqual(server.code_challenge_methods_supported, ["S256"]);
console.log("set up by the metadata (RFC 8414)");

/** The hidden fields of a page's form. */
function hidden(page: string): Record<string, string> {
  const fields = page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g);
  const plain = (text: string) =>
    text
      .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&amp;", "&");
  return Object.fromEntries([...fields].map(([, name, value]) => [name as string, plain(value as string)]));
}

/** What a person does in a browser: signs in, allows what is asked; where they are sent back to. */
async function signIn(address: URL): Promise<URL> {
  const cookies = new Map<string, string>();
  const open = async (url: URL, form?: Record<string, string>): Promise<Response> => {
    const answer = await fetch(url, {
      method: form ? "POST" : "GET",
      ...(form && { body: new URLSearchParams(form) }),
      headers: { Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      redirect: "manual",
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [name, value] = cookie.split(";", 1)[0]?.split("=", 2) ?? [];
      cookies.set(name ?? "", value ?? "");
    }
    return answer;
  };
  const page = await open(address);
  assert.equal(page.status, 200, await page.clone().text());
  const { email, password } = setting.account;
  let after = await open(new URL("/oauth/authorize", base), { ...hidden(await page.text()), email, password });
  if (after.status === 200) {
    const asked = hidden(await after.text());
    after = await open(new URL("/oauth/consent", base), { ...asked, decision: "allow" });
  }
  const back = after.headers.get("location");
  assert.ok(after.status === 303 && back, `${after.status}`);
  return new URL(back);
}

/** Calls the service as the bearer; the status. */
async function me(token: string): Promise<number> {
  const answer = await oauth.protectedResourceRequest(
    token, "GET", new URL("/v1/me", base), new Headers(), null, loopback,
  ).catch((error: unknown) => {
    // A 401 comes with WWW-Authenticate, which the library reads.
    assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, String(error));
    assert.equal(error.cause[0]?.scheme, "bearer");
    return error.response;
  });
  return answer.status;
}

/** The claims of an access token, as a resource server would check it (RFC 9068). */
async function claimsOf(token: string): Promise<oauth.JWTAccessTokenClaims> {
  const request = new Request(new URL("/v1/me", base), { headers: { Authorization: `Bearer ${token}` } });
  return oauth.validateJwtAccessToken(server, request, base as string, loopback);
}

/** Authorization code with PKCE, a refresh, and signing out. */
async function throughAnApp(client: oauth.Client, auth: oauth.ClientAuth): Promise<void> {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const address = new URL(server.authorization_endpoint as string);
  address.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: setting.redirect_uri,
    response_type: "code",
    scope: setting.scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  }).toString();
  const back = await signIn(address);
  assert.throws(() => oauth.validateAuthResponse(server, client, back, oauth.generateRandomState()), /state/);
  const elsewhere = new URL(back);
  elsewhere.searchParams.set("iss", "https://elsewhere.example");
  assert.throws(() => oauth.validateAuthResponse(server, client, elsewhere, state), /iss/);
  const parameters = oauth.validateAuthResponse(server, client, back, state);
  const exchange = () =>
    oauth.authorizationCodeGrantRequest(server, client, auth, parameters, setting.redirect_uri, verifier, loopback);
  const first = await oauth.processAuthorizationCodeResponse(server, client, await exchange());
  assert.equal(first.scope, setting.scope);
  assert.ok(first.refresh_token);
  assert.equal((await claimsOf(first.access_token)).client_id, client.client_id);
  assert.equal(await me(first.access_token), 200);

  const refresh = async (token: string) =>
    oauth.processRefreshTokenResponse(
      server, client, await oauth.refreshTokenGrantRequest(server, client, auth, token, loopback),
    );
  const second = await refresh(first.refresh_token);
  assert.ok(second.refresh_token && second.refresh_token !== first.refresh_token);
  assert.equal(await me(second.access_token), 200);

  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, auth, second.refresh_token, loopback),
  );
  assert.equal(await me(second.access_token), 401);
  await assert.rejects(refresh(second.refresh_token), { error: "invalid_grant" });
  await assert.rejects(
    async () => oauth.processAuthorizationCodeResponse(server, client, await exchange()),
    { error: "invalid_grant" },
  );
}

/** A token of the client's own. */
async function forItself(client: oauth.Client, auth: oauth.ClientAuth): Promise<void> {
  const request = await oauth.clientCredentialsGrantRequest(server, client, auth, {}, loopback);
  const { access_token, refresh_token } = await oauth.processClientCredentialsResponse(server, client, request);
  assert.equal(refresh_token, undefined);
  const claims = await claimsOf(access_token);
  assert.equal(claims.sub, client.client_id);
  assert.equal(await me(access_token), 200);
  const about = await introspect(client, auth, access_token);
  assert.equal(about.active, true);
  assert.equal(about.client_id, client.client_id);
  assert.equal(about.jti, claims.jti);
  assert.deepEqual(await introspect(client, auth, "no token of ours"), { active: false });
}

async function introspect(
  client: oauth.Client, auth: oauth.ClientAuth, token: string,
): Promise<oauth.IntrospectionResponse> {
  const answer = await oauth.introspectionRequest(server, client, auth, token, loopback);
  return oauth.processIntrospectionResponse(server, client, answer);
}

const app: oauth.Client = { client_id: setting.app.client_id };
await throughAnApp(app, oauth.None());
console.log("a public app: code with PKCE, refresh, revocation");

const portal: oauth.Client = { client_id: setting.portal.client_id };
const waysOfASecret = { client_secret_basic: oauth.ClientSecretBasic, client_secret_post: oauth.ClientSecretPost };
for (const [name, way] of Object.entries(waysOfASecret)) {
  await throughAnApp(portal, way(setting.portal.client_secret));
  console.log(`an app that keeps a secret: the same by ${name}`);
}

const integration: oauth.Client = { client_id: setting.integration.client_id };
for (const [name, way] of Object.entries(waysOfASecret)) {
  await forItself(integration, way(setting.integration.client_secret));
  console.log(`an integration: client credentials and introspection by ${name}`);
}

const keyed: oauth.Client = { client_id: setting.keyed.client_id };
const es256 = { name: "ECDSA", namedCurve: "P-256" };
const key = await webcrypto.subtle.importKey("jwk", setting.keyed.key, es256, false, ["sign"]);
await forItself(keyed, oauth.PrivateKeyJwt({ key, kid: setting.keyed.kid }));
console.log("an integration with a key: client credentials and introspection by private_key_jwt");

await assert.rejects(forItself(integration, oauth.ClientSecretPost("wrong")), (error: unknown) => {
  // Refusals come as RFC 6749 has them; a 401 also names the way to authenticate.
  return error instanceof oauth.ResponseBodyError
    ? error.error === "invalid_client"
    : error instanceof oauth.WWWAuthenticateChallengeError && error.status === 401;
});
console.log("a wrong secret: invalid_client");

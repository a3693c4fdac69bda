"use strict";

// What the server says of signing in here.
const signIn = document.getElementById("operations").dataset;

// Swagger UI can do dark; it only has to be told.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// Swagger UI fills examples in. Of what may be left out they would be sent unasked: somebody else's
// filter, or an ETag that nobody has.
const withoutUnasked = (document) => {
  for (const operations of Object.values(document.paths)) {
    for (const { parameters = [] } of Object.values(operations)) {
      for (const parameter of parameters.filter((one) => !one.required)) {
        delete parameter.example;
        delete parameter.examples;
      }
    }
  }
  // Not offered here: not shown either.
  if (!("password" in signIn)) delete document.components.securitySchemes.tandem.flows.password;
  return document;
};
const blankUnlessNeeded = {
  statePlugins: {
    spec: { wrapActions: { updateJsonSpec: (update) => (document) => update(withoutUnasked(document)) } },
  },
};

// Swagger UI would offer its client to systems too, and say the same above each way of signing in.
const WAYS = {
  authorizationCode: [
    "For people",
    "A window opens in which you sign in and say what this page may do for you. Tick what you need, or nothing for everything that is open to you.",
  ],
  password: [
    "For people, at a demonstration",
    "With an e-mail address and a password, here on the page. Only where a setting allows it.",
  ],
  clientCredentials: ["For systems", "An integration signs in with its client's id and its secret."],
};
const SIGNED_IN = ["You are signed in", "For 15 minutes at most, on this page alone. Reloading the page signs you out."];
const oneWay =
  (Original, { React }) =>
  (props) => {
    const flow = props.schema.get("flow");
    const { authSelectors, name } = props;
    const way = authSelectors.authorized().getIn([name, "schema", "flow"]);
    // All three are one scheme: Swagger UI would say of each that it is signed in.
    if (way && way !== flow) return null;
    const [title, text] = way ? SIGNED_IN : WAYS[flow];
    const given = flow === "authorizationCode" ? {} : { authSelectors: { ...authSelectors, getConfigs: () => ({}) } };
    return React.createElement(
      "section",
      { className: `way ${flow} ${way ? "in" : ""}` },
      React.createElement("h3", null, title),
      React.createElement("p", null, text),
      React.createElement(Original, { ...props, ...given }),
    );
  };

// The window comes back to /docs/oauth2-redirect, which tells all pages of this server. It has no hold
// of this page, nor this page of it: while it was elsewhere the browser has cut them off.
const channel = new BroadcastChannel("tandem-sign-in");
const state = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
const open = (openPopup) => (address, waiting) => {
  const asked = new URL(address, location.href);
  const expected = state();
  asked.searchParams.set("state", expected);
  return openPopup(asked.href, { ...waiting, state: expected });
};
const SAID = {
  access_denied: "You did not allow it. Nothing was given.",
  invalid_scope: "One of the scopes is not open here.",
};
channel.addEventListener("message", ({ data }) => {
  const said = new URLSearchParams(data);
  const waiting = window.swaggerUIRedirectOauth2;
  // Another page's answer, or one that was sent to this page by somebody else.
  if (!waiting || said.get("state") !== waiting.state || said.get("iss") !== signIn.issuer) return;
  delete window.swaggerUIRedirectOauth2;
  const { auth, redirectUrl, callback, errCb } = waiting;
  const code = said.get("code");
  if (code) {
    callback({ auth: { ...auth, code }, redirectUrl });
  } else {
    const error = said.get("error") ?? "";
    errCb({ authId: auth.name, source: "auth", level: "error", message: SAID[error] ?? said.get("error_description") ?? error });
  }
});
// Leaving ends the session, too: Swagger UI would only forget the token.
const signOut = (system) => {
  for (const entry of system.authSelectors.authorized().valueSeq().toJS()) {
    if (entry.schema.flow !== "clientCredentials") {
      const form = new URLSearchParams({ token: entry.token.access_token, client_id: signIn.client });
      navigator.sendBeacon("/oauth/revoke", form);
    }
  }
};
const leave = (logout, system) => (names) => {
  signOut(system);
  return logout(names);
};
const withOurSignIn = {
  statePlugins: { auth: { wrapActions: { authPopup: open, logout: leave } } },
  wrapComponents: { oauth2: oneWay },
};

const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#operations",
  deepLinking: true,
  // The groups are the table of contents; the models would be a second, longer page below.
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  filter: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // No validator on somebody else's server, and nothing of a sign-in is kept in the browser:
  // Swagger UI would store the password and the client's secret with the token.
  validatorUrl: null,
  persistAuthorization: false,
  oauth2RedirectUrl: signIn.redirect,
  plugins: [blankUnlessNeeded, withOurSignIn],
});
addEventListener("pagehide", () => signOut(ui));
ui.initOAuth({ clientId: signIn.client, usePkceWithAuthorizationCodeGrant: true });

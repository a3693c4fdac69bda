"use strict";

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
  return document;
};
const blankUnlessNeeded = {
  statePlugins: {
    spec: { wrapActions: { updateJsonSpec: (update) => (document) => update(withoutUnasked(document)) } },
  },
};

SwaggerUIBundle({
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
  plugins: [blankUnlessNeeded],
});

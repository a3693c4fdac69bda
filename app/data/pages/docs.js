"use strict";

// Swagger UI can do dark; it only has to be told.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

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
});

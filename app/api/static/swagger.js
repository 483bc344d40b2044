// Opens Swagger UI on the document beside this page; nothing is asked of another host.
"use strict";
window.ui = SwaggerUIBundle({
  url: document.documentElement.dataset.openapi,
  dom_id: "#page",
  deepLinking: true,
  layout: "BaseLayout",
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});

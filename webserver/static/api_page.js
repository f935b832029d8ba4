// Starts Swagger UI on the document that the page names.
const place = document.getElementById("operations");

window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  validatorUrl: null,
});

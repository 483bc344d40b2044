// Opens ReDoc on the document beside this page; nothing is asked of another host.
"use strict";
Redoc.init(
  document.documentElement.dataset.openapi,
  { disableSearch: true, nativeScrollbars: true },
  document.getElementById("page"),
);

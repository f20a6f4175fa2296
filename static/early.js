/* Load the page again when the user presses Back before htmx is ready, which does it from then on.
   Not deferred like the other scripts: it has to be there before the page. */
"use strict";

window.onpopstate = (event) => {
  if (event.state?.htmx) location.reload();
};

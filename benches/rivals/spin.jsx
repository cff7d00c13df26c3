// The app of the others with one path more, which never ends: what becomes of an isolate that has to be killed.
import app from "./fetch.jsx";

export default {
  fetch(request) {
    if (new URL(request.url).pathname === "/spin") {
      for (;;);
    }
    return app.fetch(request);
  },
};

import { renderPage } from "./server/render.jsx";
import { route } from "./server/routes.js";

export default {
  /**
   * @param {Request} request
   * @param {Record<string, string>} env
   * @returns {Promise<Response>}
   */
  async fetch(request, env) {
    const found = await route(request, env);
    return found instanceof Response ? found : renderPage(found, request);
  },
};

import Koa from "koa";

export const requests = [["/"], ["/json"], ["/old"], ["/broken"], ["/none"], ["/", { method: "HEAD" }]];

export function serve(port) {
  const app = new Koa({ keys: ["k"] });
  app.silent = true;
  app.use(async (context, next) => {
    await next();
    context.set("x-by", "koa");
  });
  app.use(async (context) => {
    if (context.path === "/") {
      context.cookies.set("seen", "yes", { signed: true });
      context.body = "<h1>Notes</h1>";
    } else if (context.path === "/json") {
      context.body = { accepts: context.accepts("json", "html"), query: context.query };
    } else if (context.path === "/old") {
      context.redirect("/");
    } else if (context.path === "/broken") {
      context.throw(418, "no");
    }
  });
  return app.listen(port);
}

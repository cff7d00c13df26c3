import Koa from "koa";

const app = new Koa();

app.use(async (context, next) => {
  await next();
  context.set("x-by", "koa");
});
app.use(async (context) => {
  if (context.method === "POST") {
    let text = "";
    for await (const piece of context.req) {
      text += piece;
    }
    context.body = { said: text };
  } else if (context.path === "/") {
    context.cookies.set("seen", "yes");
    context.body = "koa is here\n";
  }
});

app.listen(process.env.PORT || 3000);

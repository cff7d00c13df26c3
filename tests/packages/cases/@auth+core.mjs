import { Auth } from "@auth/core";
import Credentials from "@auth/core/providers/credentials";
import GitHub from "@auth/core/providers/github";
import { decode, encode } from "@auth/core/jwt";

export default async function () {
  const secret = "a secret";
  const config = {
    secret,
    trustHost: true,
    basePath: "/auth",
    providers: [GitHub({ clientId: "c", clientSecret: "s" }), Credentials({ authorize: ({ name }) => ({ id: "1", name }) })],
    logger: { error() {}, warn() {} },
  };
  const providers = await (await Auth(new Request("http://a.example/auth/providers"), config)).json();
  const token = await encode({ token: { name: "ann" }, secret, salt: "s" });
  const csrf = await Auth(new Request("http://a.example/auth/csrf"), config);
  const cookie = csrf.headers
    .getSetCookie()
    .map((one) => one.split(";")[0])
    .join("; ");
  const { csrfToken } = await csrf.json();
  const body = new URLSearchParams({ csrfToken, name: "ann" });
  const entered = await Auth(
    new Request("http://a.example/auth/callback/credentials", {
      method: "POST",
      headers: { cookie, "content-type": "application/x-www-form-urlencoded" },
      body,
    }),
    config,
  );
  const session = entered.headers
    .getSetCookie()
    .map((one) => one.split(";")[0])
    .join("; ");
  const { user } =
    (await (await Auth(new Request("http://a.example/auth/session", { headers: { cookie: session } }), config)).json()) ?? {};
  const unknown = await Auth(new Request("http://a.example/auth/signin"), config);
  return [
    providers,
    (await decode({ token, secret, salt: "s" })).name,
    entered.status,
    user,
    unknown.status,
    (await unknown.text()).includes("GitHub"),
  ];
}

import { getIronSession, sealData, unsealData } from "iron-session";

export default async function () {
  const password = "a password of at least thirty-two characters";
  const seal = await sealData({ user: "ann" }, { password });
  const response = new Response();
  const session = await getIronSession(new Request("http://a/"), response, { password, cookieName: "s", cookieOptions: { secure: false } });
  session.user = "bob";
  await session.save();
  const cookie = response.headers.get("set-cookie").split(";")[0];
  const again = await getIronSession(new Request("http://a/", { headers: { cookie } }), new Response(), { password, cookieName: "s" });
  return [await unsealData(seal, { password }), await unsealData(`${seal}x`, { password }), again.user, seal.slice(0, 6)];
}

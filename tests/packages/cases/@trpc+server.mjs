import { initTRPC, TRPCError } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";

export default async function () {
  const t = initTRPC.context().create({ isDev: false });
  const input = (value) => {
    if (typeof value !== "string") throw new TRPCError({ code: "BAD_REQUEST", message: "text, please" });
    return value;
  };
  const router = t.router({
    hello: t.procedure.input(input).query(({ input }) => `hello ${input}`),
    add: t.procedure.mutation(() => ({ made: true })),
  });
  const ask = async (path, init) => {
    const req = new Request(`http://localhost/trpc/${path}`, init);
    const response = await fetchRequestHandler({ endpoint: "/trpc", req, router, createContext: () => ({}) });
    return [response.status, await response.text()];
  };
  const caller = t.createCallerFactory(router)({});
  return [await ask('hello?input="ann"'), await ask("hello?input=1"), await ask("add", { method: "POST" }), await caller.hello("bob")];
}

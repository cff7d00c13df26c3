import { ApolloServer, HeaderMap } from "@apollo/server";

export default async function () {
  const server = new ApolloServer({
    typeDefs: "type Query { hello(name: String): String }",
    resolvers: { Query: { hello: (_, { name }) => `hello ${name}` } },
    includeStacktraceInErrorResponses: false,
  });
  await server.start();
  const { body } = await server.executeOperation({ query: "query($n: String) { hello(name: $n) }", variables: { n: "ann" } });
  const headers = new HeaderMap([["content-type", "application/json"]]);
  const httpGraphQLRequest = { method: "POST", headers, search: "", body: { query: "{ nothing }" } };
  const response = await server.executeHTTPGraphQLRequest({ httpGraphQLRequest, context: async () => ({}) });
  await server.stop();
  return [body.singleResult, response.status, response.body];
}

import { createSchema, createYoga } from "graphql-yoga";

export default async function () {
  const typeDefs = "type Query { hello(name: String!): String, slow: [Int!]! } type Mutation { add(a: Int!): Int }";
  const resolvers = {
    Query: { hello: (_, { name }) => `hello ${name}`, slow: async () => [1, 2] },
    Mutation: { add: (_, { a }) => a + 1 },
  };
  const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), logging: false, graphiql: false });
  const ask = async (query, variables) => {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query, variables }) };
    const response = await yoga.fetch("http://localhost/graphql", init);
    return [response.status, response.headers.get("content-type"), await response.json()];
  };
  return [
    await ask("query($n: String!) { hello(name: $n) slow }", { n: "ann" }),
    await ask("mutation { add(a: 2) }"),
    await ask("{ nothing }"),
  ];
}

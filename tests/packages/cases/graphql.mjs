import { buildSchema, execute, graphql, parse, print, printSchema, validate } from "graphql";

export default async function () {
  const schema = buildSchema('"A note" type Note { title: String! tags(first: Int = 1): [String] } type Query { note(id: ID!): Note }');
  const rootValue = { note: ({ id }) => ({ title: `Note ${id}`, tags: async ({ first }) => ["a", "b"].slice(0, first) }) };
  const good = await graphql({
    schema,
    rootValue,
    source: "query($id: ID!) { note(id: $id) { title ...T } } fragment T on Note { tags(first: 2) }",
    variableValues: { id: "7" },
  });
  const bad = validate(schema, parse("{ note { titel } }")).map(({ message }) => message);
  const also = await execute({ schema, rootValue, document: parse("{ note(id: 1) { title } }") });
  return [good, bad, also, printSchema(schema), print(parse("{a,b(c:1)}"))];
}

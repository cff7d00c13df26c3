import { gql, GraphQLClient, request } from "graphql-request";

export default async function ({ upstream }) {
  const client = new GraphQLClient(`${upstream}/graphql`, { headers: { "x-test": "yes" } });
  const failed = await new GraphQLClient(`${upstream}/missing`).request("{ a }").catch((error) => error.response?.status);
  return [
    await client.request(gql`
      {
        note {
          title
        }
      }
    `),
    await request(`${upstream}/graphql`, "{ note { title } }"),
    (await client.rawRequest("{ note }")).status,
    failed,
  ];
}

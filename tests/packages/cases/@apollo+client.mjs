import * as core from "@apollo/client/core";

export default async function ({ upstream }) {
  const { ApolloClient, gql, HttpLink, InMemoryCache } = core;
  const client = new ApolloClient({
    ssrMode: true,
    cache: new InMemoryCache({ typePolicies: { Note: { keyFields: ["title"] } } }),
    link: new HttpLink({ uri: `${upstream}/graphql` }),
  });
  const query = gql`
    query {
      note {
        title
      }
    }
  `;
  const { data } = await client.query({ query });
  return [data, client.extract(), client.readQuery({ query })];
}

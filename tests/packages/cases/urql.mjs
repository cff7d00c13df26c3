import { cacheExchange, createClient, fetchExchange, gql, ssrExchange } from "urql";

export default async function ({ upstream }) {
  const ssr = ssrExchange({ isClient: false });
  const client = createClient({ url: `${upstream}/graphql`, preferGetMethod: false, exchanges: [cacheExchange, ssr, fetchExchange] });
  const { data, error } = await client
    .query(
      gql`
        {
          note {
            title
          }
        }
      `,
      {},
    )
    .toPromise();
  return [data, String(error), Object.values(ssr.extractData())];
}

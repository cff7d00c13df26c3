import relay from "relay-runtime";

export default async function ({ upstream }) {
  const { commitLocalUpdate, Environment, fetchQuery, Network, RecordSource, Store } = relay;
  const selections = [
    {
      alias: null,
      args: null,
      concreteType: "Note",
      kind: "LinkedField",
      name: "note",
      plural: false,
      selections: [{ alias: null, args: null, kind: "ScalarField", name: "title", storageKey: null }],
      storageKey: null,
    },
  ];
  const node = {
    fragment: { argumentDefinitions: [], kind: "Fragment", metadata: null, name: "Q", selections, type: "Query", abstractKey: null },
    kind: "Request",
    operation: { argumentDefinitions: [], kind: "Operation", name: "Q", selections },
    params: { cacheID: "1", id: null, metadata: {}, name: "Q", operationKind: "query", text: "query Q { note { title } }" },
  };
  const network = Network.create(async ({ text }) =>
    (await fetch(`${upstream}/graphql`, { method: "POST", body: JSON.stringify({ query: text }) })).json(),
  );
  const environment = new Environment({ network, store: new Store(new RecordSource()) });
  const data = await fetchQuery(environment, node, {}).toPromise();
  commitLocalUpdate(environment, (store) => store.getRoot().setValue("x", "local"));
  return [data, Object.keys(environment.getStore().getSource().toJSON())];
}

export default async function NotFound() {
  return <h1>404: no such note</h1>;
}

export const getConfig = async () => ({ render: "static" }) as const;

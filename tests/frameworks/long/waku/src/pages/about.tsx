export default async function About() {
  return <h1>About</h1>;
}

export const getConfig = async () => ({ render: "static" }) as const;

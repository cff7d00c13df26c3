export default async function Broken() {
  throw new Error("the shelf is empty");
}

export const getConfig = async () => ({ render: "dynamic" }) as const;

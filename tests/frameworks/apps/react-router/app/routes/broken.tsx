export function loader() {
  throw new Error("the shelf is empty");
}

export default function Broken() {
  return <h1>Never seen</h1>;
}

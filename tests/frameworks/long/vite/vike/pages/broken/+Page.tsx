export default function Page() {
  return <h1>Never seen</h1>;
}

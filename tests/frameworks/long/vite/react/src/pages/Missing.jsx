export function Missing() {
  return <h1>404: no such note</h1>;
}

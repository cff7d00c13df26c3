export default function NotFound() {
  return <h1>404: no such note</h1>;
}

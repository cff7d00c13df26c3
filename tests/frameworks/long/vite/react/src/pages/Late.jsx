export default function Late() {
  return <p id="late">Late, but here</p>;
}

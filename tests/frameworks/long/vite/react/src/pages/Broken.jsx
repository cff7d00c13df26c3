export function Broken() {
  throw new Error("the shelf is empty");
}

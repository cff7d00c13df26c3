export function load() {
  throw new Error("the shelf is empty");
}

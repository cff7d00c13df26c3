export function data() {
  throw new Error("the shelf is empty");
}

export function load() {
  return { late: new Promise((resolve) => setTimeout(resolve, 300, "Late, but here")) };
}

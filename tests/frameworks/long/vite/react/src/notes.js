export const notes = [
  { slug: "rust", title: "Rust", text: "Ownership takes a week." },
  { slug: "tea", title: "Tea", text: "Three minutes, no more." },
];

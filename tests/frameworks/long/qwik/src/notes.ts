export interface Note {
  slug: string;
  title: string;
  text: string;
}

export const notes: Note[] = [
  { slug: "rust", title: "Rust", text: "Ownership takes a week." },
  { slug: "tea", title: "Tea", text: "Three minutes, no more." },
];

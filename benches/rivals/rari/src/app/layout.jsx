// The pages bring their own document.
export default function Layout({ children }) {
  return children;
}

import Link from "next/link";

export default function Layout({ children }) {
  return (
    <main>
      {children}
      <Link href="/">Back</Link>
    </main>
  );
}

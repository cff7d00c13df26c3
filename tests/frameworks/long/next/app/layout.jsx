import { Hydrated } from "./hydrated.jsx";

export const metadata = { title: "Notes", icons: { icon: "data:," } };

export default function Layout({ children }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <body>
        {children}
        <Hydrated />
      </body>
    </html>
  );
}

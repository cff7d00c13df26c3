import type { ReactNode } from "react";
import { Hydrated } from "../components/hydrated";

export default async function RootLayout({ children }: { children: ReactNode }) {
  return (
    <main>
      <Hydrated />
      {children}
    </main>
  );
}

export const getConfig = async () => ({ render: "static" }) as const;

import { createFileRoute } from "@tanstack/react-router";

export const Route = createFileRoute("/broken")({
  loader: () => {
    throw new Error("the shelf is empty");
  },
  component: () => <h1>Never seen</h1>,
  errorComponent: ({ error }) => <h1>500: {error.message}</h1>,
});

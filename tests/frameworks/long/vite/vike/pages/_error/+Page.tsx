import { usePageContext } from "vike-react/usePageContext";

export default function Page() {
  const { is404, abortReason } = usePageContext();
  return is404 ? <h1>404: {typeof abortReason === "string" ? abortReason : "no such page"}</h1> : <h1>500: something broke</h1>;
}

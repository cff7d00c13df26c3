// D: hardly anything to render, so what is measured is everything around it.
import { Document } from "./document.jsx";

export function Tiny() {
  return (
    <Document title="Thank you">
      <p>Your order is on its way.</p>
    </Document>
  );
}

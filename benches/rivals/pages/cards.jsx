// C: ten cards, each behind its own Suspense boundary, that are ready after 0 to 20 ms: the page streams out of order.
import { Suspense, use } from "react";

import { Document } from "./document.jsx";

const NAMES = ["Orders", "Returns", "Visits", "Carts", "Reviews", "Stock", "Refunds", "Letters", "Vouchers", "Staff"];

/** Not in the order of the page: 0, 13, 5, 18, 10, 2, 15, 7, 20, 12 ms. */
const READY_MS = NAMES.map((_, index) => (index * 13) % 21);

/** What one request waits for. */
export function loadCards() {
  return NAMES.map(
    (name, index) =>
      new Promise((resolve) => {
        setTimeout(resolve, READY_MS[index], { name, values: Array.from({ length: 12 }, (_, month) => (month + 3) * (index + 7)) });
      }),
  );
}

function Card({ loading }) {
  const { name, values } = use(loading);
  return (
    <section className="card">
      <h2>{name}</h2>
      <ol>
        {values.map((value, month) => (
          <li key={month}>
            <meter value={value} max={250} /> {value}
          </li>
        ))}
      </ol>
    </section>
  );
}

export function Cards({ loading }) {
  return (
    <Document title="Today">
      {loading.map((one, index) => (
        <Suspense key={NAMES[index]} fallback={<p className="loading">{NAMES[index]} …</p>}>
          <Card loading={one} />
        </Suspense>
      ))}
    </Document>
  );
}

// B: a table of 1,000 orders, many small elements.
import { Document } from "./document.jsx";

const STATES = ["paid", "packed", "on its way", "delivered", "returned"];

const ORDERS = Array.from({ length: 1000 }, (_, index) => ({
  id: `${(index * 2654435761) % 4294967296}`.padStart(10, "0"),
  customer: `${["Ada", "Björn", "Chiara", "Dmitri", "Émile"][index % 5]} ${["O'Neill", "Sørensen", "Rossi & Co", "Kim"][index % 4]}`,
  day: `2026-${String(1 + (index % 12)).padStart(2, "0")}-${String(1 + (index % 28)).padStart(2, "0")}`,
  items: 1 + ((index * 7) % 9),
  total: 12 + ((index * 37) % 900),
  state: STATES[index % STATES.length],
}));

export function Table() {
  return (
    <Document title="Orders">
      <table className="orders">
        <thead>
          <tr>
            {["Order", "Customer", "Day", "Items", "Total", "State"].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ORDERS.map((order) => (
            <tr key={order.id} data-state={order.state}>
              <td>
                <a href={`/orders/${order.id}`}>{order.id}</a>
              </td>
              <td>{order.customer}</td>
              <td>{order.day}</td>
              <td>{order.items}</td>
              <td>{order.total.toFixed(2)} €</td>
              <td className={order.state === "returned" ? "bad" : "good"}>{order.state}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Document>
  );
}

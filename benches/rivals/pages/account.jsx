// E: waits for three services at once before it renders.
import { Document } from "./document.jsx";

const SERVICES = ["profile", "orders", "offers"];

let asked = 0;

/** What the services say. Each question has a number of its own, so that no layer between answers two with one call. */
export function loadAccount() {
  return Promise.all(
    SERVICES.map(async (service) => {
      asked += 1;
      // `UPSTREAM` is put in by the build.
      const answer = await fetch(`${UPSTREAM}/${service}?n=${asked}`);
      return answer.json();
    }),
  );
}

export function Account({ parts }) {
  return (
    <Document title="Your account">
      {parts.map(({ service, lines }) => (
        <section key={service}>
          <h2>{service}</h2>
          <ul>
            {lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </section>
      ))}
    </Document>
  );
}

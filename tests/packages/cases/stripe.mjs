import Stripe from "stripe";

export default async function ({ upstream }) {
  const { hostname, port } = new URL(upstream);
  const stripe = new Stripe("sk_test_x", { host: hostname, port, protocol: "http", maxNetworkRetries: 0, telemetry: false });
  const customer = await stripe.customers.create({ email: "ann@example.com", metadata: { a: 1 } });
  const payload = '{"id":"evt_1","object":"event","type":"x"}';
  const header = stripe.webhooks.generateTestHeaderString({ payload, secret: "whsec" });
  const bad = await stripe.webhooks.constructEventAsync(payload, header, "other").catch((error) => error.type);
  const failed = await stripe.customers.retrieve("none").catch((error) => error.type ?? error.message);
  return [customer.id, customer.lastResponse.statusCode, stripe.webhooks.constructEvent(payload, header, "whsec").id, bad, typeof failed];
}

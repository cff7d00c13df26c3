import sendgrid from "@sendgrid/mail";

export default async function ({ upstream }) {
  sendgrid.setApiKey("SG.x");
  sendgrid.client.setDefaultRequest("baseUrl", `${upstream}/`);
  const [{ statusCode, body }] = await sendgrid.send({ to: "a@a.example", from: "b@b.example", subject: "Tea", text: "x" });
  return [statusCode, body];
}

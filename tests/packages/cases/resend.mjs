import { Resend } from "resend";

export default async function ({ upstream }) {
  const resend = new Resend("re_x", { baseUrl: upstream });
  return resend.emails
    .send({ from: "a@a.example", to: "b@b.example", subject: "Tea", html: "<p>x</p>" })
    .then(({ data, error }) => [data, error?.name]);
}

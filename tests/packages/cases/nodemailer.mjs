import nodemailer from "nodemailer";

export default async function () {
  const composer = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: "unix" });
  const mail = {
    from: "Ann <a@a.example>",
    to: "b@b.example",
    subject: "Tée",
    text: "x",
    html: "<p>x</p>",
    messageId: "<1@a>",
    date: new Date(0),
    attachments: [{ filename: "a.txt", content: "text" }],
    boundary: "b",
    baseBoundary: "fixed",
  };
  const { message, envelope } = await composer.sendMail(mail);
  const json = await nodemailer.createTransport({ jsonTransport: true }).sendMail({ ...mail, attachments: [] });
  return [message.toString(), envelope, JSON.parse(json.message).subject];
}

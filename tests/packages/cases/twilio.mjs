import twilio from "twilio";

export default async function () {
  const client = twilio("AC00000000000000000000000000000000", "token");
  const voice = new twilio.twiml.VoiceResponse();
  voice.say({ voice: "alice" }, "Hello <you>");
  voice.gather({ numDigits: 1 }).play("https://a.example/x.mp3");
  const { AccessToken } = twilio.jwt;
  const token = new AccessToken("AC1", "SK1", "secret", { identity: "ann" });
  token.addGrant(new AccessToken.VideoGrant({ room: "r" }));
  const claims = JSON.parse(Buffer.from(token.toJwt().split(".")[1], "base64url").toString());
  const signature = twilio.validateRequest("token", "x", "https://a.example/", { a: "1" });
  return [voice.toString(), claims.grants, signature, typeof client.messages.create];
}

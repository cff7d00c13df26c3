import mysql from "mysql2/promise";

export default async function () {
  await mysql.createConnection({ host: "127.0.0.1", port: 1, user: "a" });
  return [mysql.format("select ?", ["a"]), "connected"];
}

import { BSON, MongoClient, ObjectId } from "mongodb";

export default async function () {
  const id = new ObjectId("0123456789abcdef01234567");
  const bytes = BSON.serialize({ id, at: new Date(0), n: 1.5, list: ["a"] });
  const back = BSON.deserialize(bytes);
  const client = new MongoClient("mongodb://127.0.0.1:1/board", { serverSelectionTimeoutMS: 500 });
  await client.connect();
  return [bytes.length, back.id.equals(id), "connected"];
}

import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

export default async function ({ upstream }) {
  const s3 = new S3Client({
    region: "eu-central-1",
    endpoint: upstream,
    forcePathStyle: true,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
    maxAttempts: 1,
  });
  const put = await s3.send(new PutObjectCommand({ Bucket: "bucket", Key: "tea.txt", Body: "tea" }));
  const got = await s3.send(new GetObjectCommand({ Bucket: "bucket", Key: "tea.txt" }));
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: "bucket" }));
  return [put.ETag, await got.Body.transformToString(), got.ContentType, Contents];
}

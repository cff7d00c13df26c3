export default function Head() {
  return <link rel="icon" href="data:," />;
}

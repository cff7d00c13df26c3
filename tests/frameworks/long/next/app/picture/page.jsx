import Image from "next/image";

export default function Picture() {
  return <Image id="picture" src="/dot.png" width={64} height={64} alt="a dot" priority />;
}

import dotenv from "dotenv";

export default function () {
  const values = dotenv.parse("A=1 # c\nB='x y'\nC=\"l1\\nl2\"\nexport D=\n#E=1");
  const target = { A: "kept" };
  dotenv.populate(target, values);
  return [values, target, dotenv.config({ path: "/nothing/.env", quiet: true }).error?.code];
}

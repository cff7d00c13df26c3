import protobuf from "protobufjs";

export default function () {
  const { root } = protobuf.parse(
    'syntax = "proto3"; package board; message Note { string title = 1; repeated int32 tags = 2; map<string, double> m = 3; int64 big = 4; enum K { A = 0; B = 1; } K kind = 5; }',
  );
  const Note = root.lookupType("board.Note");
  const bytes = Note.encode(Note.fromObject({ title: "Tea", tags: [1, 300], m: { x: 1.5 }, big: "9007199254740993", kind: "B" })).finish();
  return [[...bytes], Note.toObject(Note.decode(bytes), { longs: String, enums: String }), Note.verify({ title: 1 })];
}

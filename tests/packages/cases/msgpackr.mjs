import { addExtension, Packr, pack, unpack, UnpackrStream } from "msgpackr";

export default async function () {
  class Note {
    constructor(title) {
      this.title = title;
    }
  }
  addExtension({ Class: Note, type: 11, pack: (note) => pack(note.title), unpack: (buffer) => new Note(unpack(buffer)) });
  const value = { a: [1, -1, 1.5, 2 ** 40], b: "ü", c: null, d: new Date(0), e: new Map([["x", 1]]) };
  const bytes = pack(value);
  const records = new Packr({ structures: [] });
  const stream = new UnpackrStream();
  const read = new Promise((done) => stream.once("data", done));
  stream.end(pack({ streamed: true }));
  return [[...bytes], unpack(bytes).b, unpack(pack(new Note("tea"))).title, records.unpack(records.pack([{ a: 1 }, { a: 2 }])), await read];
}

import { parse as stream } from "csv-parse";
import { parse } from "csv-parse/sync";

export default async function () {
  const rows = [];
  const parser = stream({ columns: true, cast: true });
  parser.end('a,b\n1,"x\ny"\n2,"q""q"\n');
  for await (const row of parser) rows.push(row);
  return [rows, parse("a;b\n c ;d", { delimiter: ";", trim: true }), failed(() => parse('a,b\n"c'))];
}

function failed(run) {
  try {
    return run();
  } catch (error) {
    return error.code;
  }
}

import Papa from "papaparse";

export default function () {
  const steps = [];
  Papa.parse("a,b\n1,2", { step: ({ data }) => steps.push(data) });
  const { data, meta, errors } = Papa.parse('a,b\n1,"x,y"\n2', { header: true, dynamicTyping: true });
  return [data, meta, errors, Papa.unparse([{ a: 1, b: 'x"y' }]), steps];
}

import { Command, Option } from "commander";

export default async function () {
  const seen = [];
  const program = new Command("board")
    .exitOverride()
    .configureOutput({ writeOut: (text) => seen.push(text), writeErr: (text) => seen.push(text) });
  program.option("-n, --number <n>", "a number", Number, 1).addOption(new Option("--kind <k>").choices(["a", "b"]));
  program
    .command("make <name> [more...]")
    .action(async (name, more, options, command) => seen.push([name, more, command.optsWithGlobals()]));
  await program.parseAsync(["-n", "3", "--kind", "a", "make", "tea", "x", "y"], { from: "user" });
  const failed = await program.parseAsync(["--kind", "c"], { from: "user" }).catch((error) => error.code);
  return [seen, failed, program.helpInformation()];
}

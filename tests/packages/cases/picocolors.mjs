import pc from "picocolors";

export default () => [pc.createColors(true).red(`a${pc.createColors(true).bold("b")}`), pc.isColorSupported, pc.green("plain")];

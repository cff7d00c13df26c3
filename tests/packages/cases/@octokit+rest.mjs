import { Octokit } from "@octokit/rest";

export default async function ({ upstream }) {
  const octokit = new Octokit({
    auth: "t",
    baseUrl: upstream,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    request: { retries: 0 },
  });
  const { data, status } = await octokit.repos.get({ owner: "a", repo: "b" });
  const failed = await octokit.request("GET /missing").catch((error) => [error.name, error.status]);
  return [data, status, failed];
}

// node:os: what is the same for every isolate, and nothing of the machine.
(function () {
return {
  EOL: "\n",
  arch: () => "x64",
  availableParallelism: () => 1,
  constants: { signals: { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }, errno: { EACCES: 13, ENOENT: 2, EROFS: 30 } },
  cpus: () => [],
  devNull: "/dev/null",
  endianness: () => "LE",
  freemem: () => 0,
  homedir: () => "/",
  hostname: () => "localhost",
  loadavg: () => [0, 0, 0],
  machine: () => "x86_64",
  networkInterfaces: () => ({}),
  platform: () => "linux",
  release: () => "",
  tmpdir: () => "/tmp",
  totalmem: () => 0,
  type: () => "Linux",
  uptime: () => 0,
  userInfo: () => ({ uid: -1, gid: -1, username: "vitrine", homedir: "/", shell: null }),
  version: () => "",
};
})();

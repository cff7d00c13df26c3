// The system as scripts of Node.js ask about it.
(function () {
return {
  isAndroid: false,
  isLinux: true,
  isMacOS: false,
  isWindows: false,
  osType: "linux",
  // A number of another system's error; here they have the numbers of Linux.
  uvTranslateSysError: () => "UNKNOWN",
};
})();

// Copyright 2018-2026 the Deno authors. MIT license.
// This file contains C++ node globals accessed in internal binding calls
(function() {
  let Encodings;
  ((Encodings2) => {
    Encodings2[Encodings2["ASCII"] = 0] = "ASCII";
    Encodings2[Encodings2["UTF8"] = 1] = "UTF8";
    Encodings2[Encodings2["BASE64"] = 2] = "BASE64";
    Encodings2[Encodings2["UCS2"] = 3] = "UCS2";
    Encodings2[Encodings2["BINARY"] = 4] = "BINARY";
    Encodings2[Encodings2["HEX"] = 5] = "HEX";
    Encodings2[Encodings2["BUFFER"] = 6] = "BUFFER";
    Encodings2[Encodings2["BASE64URL"] = 7] = "BASE64URL";
    Encodings2[Encodings2["LATIN1"] = 4] = "LATIN1";
  })(Encodings || (Encodings = {}));
  return {
    Encodings
  };
})();

// Names that the modules of Node.js 22.23 export: what can be called, and the rest.
(function () {
const FUNCTIONS = {
  __proto__: null,
  "node:assert": "Assert AssertionError CallTracker deepEqual deepStrictEqual doesNotMatch doesNotReject doesNotThrow equal fail ifError " +
    "match notDeepEqual notDeepStrictEqual notEqual notStrictEqual ok partialDeepStrictEqual rejects strict strictEqual throws",
  "node:assert/strict": "Assert AssertionError CallTracker deepEqual deepStrictEqual doesNotMatch doesNotReject doesNotThrow equal fail ifError " +
    "match notDeepEqual notDeepStrictEqual notEqual notStrictEqual ok partialDeepStrictEqual rejects strict strictEqual throws",
  "node:async_hooks": "AsyncLocalStorage AsyncResource createHook executionAsyncId executionAsyncResource triggerAsyncId",
  "node:buffer": "Blob Buffer File SlowBuffer atob btoa isAscii isUtf8 resolveObjectURL transcode",
  "node:crypto": "Certificate Cipheriv Decipheriv DiffieHellman DiffieHellmanGroup ECDH Hash Hmac KeyObject Sign Verify X509Certificate " +
    "checkPrime checkPrimeSync createCipheriv createDecipheriv createDiffieHellman createDiffieHellmanGroup createECDH " +
    "createHash createHmac createPrivateKey createPublicKey createSecretKey createSign createVerify diffieHellman generateKey " +
    "generateKeyPair generateKeyPairSync generateKeySync generatePrime generatePrimeSync getCipherInfo getCiphers getCurves " +
    "getDiffieHellman getFips getHashes getRandomValues hash hkdf hkdfSync pbkdf2 pbkdf2Sync privateDecrypt privateEncrypt " +
    "publicDecrypt publicEncrypt randomBytes randomFill randomFillSync randomInt randomUUID scrypt scryptSync secureHeapUsed " +
    "setEngine setFips sign timingSafeEqual verify",
  "node:diagnostics_channel": "Channel channel hasSubscribers subscribe tracingChannel unsubscribe",
  "node:events": "EventEmitter EventEmitterAsyncResource addAbortListener getEventListeners getMaxListeners init listenerCount on once " +
    "setMaxListeners",
  "node:fs": "Dir Dirent FileReadStream FileWriteStream ReadStream Stats WriteStream _toUnixTimestamp access accessSync appendFile " +
    "appendFileSync chmod chmodSync chown chownSync close closeSync copyFile copyFileSync cp cpSync createReadStream " +
    "createWriteStream exists existsSync fchmod fchmodSync fchown fchownSync fdatasync fdatasyncSync fstat fstatSync fsync " +
    "fsyncSync ftruncate ftruncateSync futimes futimesSync glob globSync lchown lchownSync link linkSync lstat lstatSync " +
    "lutimes lutimesSync mkdir mkdirSync mkdtemp mkdtempSync open openAsBlob openSync opendir opendirSync read readFile " +
    "readFileSync readSync readdir readdirSync readlink readlinkSync readv readvSync realpath realpathSync rename renameSync " +
    "rm rmSync rmdir rmdirSync stat statSync statfs statfsSync symlink symlinkSync truncate truncateSync unlink unlinkSync " +
    "unwatchFile utimes utimesSync watch watchFile write writeFile writeFileSync writeSync writev writevSync",
  "node:fs/promises": "access appendFile chmod chown copyFile cp glob lchmod lchown link lstat lutimes mkdir mkdtemp open opendir readFile " +
    "readdir readlink realpath rename rm rmdir stat statfs symlink truncate unlink utimes watch writeFile",
  "node:http": "Agent ClientRequest CloseEvent IncomingMessage MessageEvent OutgoingMessage Server ServerResponse WebSocket " +
    "_connectionListener createServer get request setMaxIdleHTTPParsers validateHeaderName validateHeaderValue",
  "node:https": "Agent Server createServer get request",
  "node:module": "Module SourceMap _debug _findPath _initPaths _load _nodeModulePaths _preloadModules _resolveFilename _resolveLookupPaths " +
    "createRequire enableCompileCache findPackageJSON findSourceMap flushCompileCache getCompileCacheDir getSourceMapsSupport " +
    "isBuiltin register registerHooks runMain setSourceMapsSupport stripTypeScriptTypes syncBuiltinESMExports",
  "node:os": "arch availableParallelism cpus endianness freemem getPriority homedir hostname loadavg machine networkInterfaces platform " +
    "release setPriority tmpdir totalmem type uptime userInfo version",
  "node:path": "_makeLong basename dirname extname format isAbsolute join matchesGlob normalize parse relative resolve toNamespacedPath",
  "node:path/posix": "_makeLong basename dirname extname format isAbsolute join matchesGlob normalize parse relative resolve toNamespacedPath",
  "node:path/win32": "_makeLong basename dirname extname format isAbsolute join matchesGlob normalize parse relative resolve toNamespacedPath",
  "node:perf_hooks": "Performance PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver PerformanceObserverEntryList " +
    "PerformanceResourceTiming createHistogram monitorEventLoopDelay",
  "node:process": "_debugEnd _debugProcess _fatalException _getActiveHandles _getActiveRequests _kill _linkedBinding _rawDebug " +
    "_startProfilerIdleNotifier _stopProfilerIdleNotifier _tickCallback abort assert availableMemory binding chdir " +
    "constrainedMemory cpuUsage cwd dlopen emitWarning execve exit getActiveResourcesInfo getBuiltinModule getegid geteuid " +
    "getgid getgroups getuid hasUncaughtExceptionCaptureCallback hrtime initgroups kill loadEnvFile memoryUsage nextTick " +
    "openStdin reallyExit ref resourceUsage setSourceMapsEnabled setUncaughtExceptionCaptureCallback setegid seteuid setgid " +
    "setgroups setuid threadCpuUsage umask unref uptime",
  "node:punycode": "decode encode toASCII toUnicode",
  "node:querystring": "decode encode escape parse stringify unescape unescapeBuffer",
  "node:stream": "Duplex PassThrough Readable Stream Transform Writable _isArrayBufferView _isUint8Array _uint8ArrayToBuffer addAbortSignal " +
    "compose destroy duplexPair finished getDefaultHighWaterMark isDestroyed isDisturbed isErrored isReadable isWritable " +
    "pipeline setDefaultHighWaterMark",
  "node:stream/consumers": "arrayBuffer blob buffer json text",
  "node:stream/promises": "finished pipeline",
  "node:stream/web": "ByteLengthQueuingStrategy CompressionStream CountQueuingStrategy DecompressionStream ReadableByteStreamController " +
    "ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController " +
    "ReadableStreamDefaultReader TextDecoderStream TextEncoderStream TransformStream TransformStreamDefaultController " +
    "WritableStream WritableStreamDefaultController WritableStreamDefaultWriter",
  "node:string_decoder": "StringDecoder",
  "node:timers": "_unrefActive active clearImmediate clearInterval clearTimeout enroll setImmediate setInterval setTimeout unenroll",
  "node:timers/promises": "setImmediate setInterval setTimeout",
  "node:tty": "ReadStream WriteStream isatty",
  "node:url": "URL URLSearchParams Url domainToASCII domainToUnicode fileURLToPath fileURLToPathBuffer format parse pathToFileURL " +
    "resolve resolveObject urlToHttpOptions",
  "node:util": "MIMEParams MIMEType TextDecoder TextEncoder _errnoException _exceptionWithHostPort _extend aborted callbackify debug " +
    "debuglog deprecate diff format formatWithOptions getCallSite getCallSites getSystemErrorMap getSystemErrorMessage " +
    "getSystemErrorName inherits inspect isArray isBoolean isBuffer isDate isDeepStrictEqual isError isFunction isNull " +
    "isNullOrUndefined isNumber isObject isPrimitive isRegExp isString isSymbol isUndefined log parseArgs parseEnv promisify " +
    "setTraceSigInt stripVTControlCharacters styleText toUSVString transferableAbortController transferableAbortSignal",
  "node:util/types": "isAnyArrayBuffer isArgumentsObject isArrayBuffer isArrayBufferView isAsyncFunction isBigInt64Array isBigIntObject " +
    "isBigUint64Array isBooleanObject isBoxedPrimitive isCryptoKey isDataView isDate isExternal isFloat16Array isFloat32Array " +
    "isFloat64Array isGeneratorFunction isGeneratorObject isInt16Array isInt32Array isInt8Array isKeyObject isMap " +
    "isMapIterator isModuleNamespaceObject isNativeError isNumberObject isPromise isProxy isRegExp isSet isSetIterator " +
    "isSharedArrayBuffer isStringObject isSymbolObject isTypedArray isUint16Array isUint32Array isUint8Array " +
    "isUint8ClampedArray isWeakMap isWeakSet",
  "node:zlib": "BrotliCompress BrotliDecompress Deflate DeflateRaw Gunzip Gzip Inflate InflateRaw Unzip ZstdCompress ZstdDecompress " +
    "brotliCompress brotliCompressSync brotliDecompress brotliDecompressSync crc32 createBrotliCompress createBrotliDecompress " +
    "createDeflate createDeflateRaw createGunzip createGzip createInflate createInflateRaw createUnzip createZstdCompress " +
    "createZstdDecompress deflate deflateRaw deflateRawSync deflateSync gunzip gunzipSync gzip gzipSync inflate inflateRaw " +
    "inflateRawSync inflateSync unzip unzipSync zstdCompress zstdCompressSync zstdDecompress zstdDecompressSync",
};

const VALUES = {
  __proto__: null,
  "node:assert": "",
  "node:assert/strict": "",
  "node:async_hooks": "asyncWrapProviders",
  "node:buffer": "INSPECT_MAX_BYTES constants kMaxLength kStringMaxLength",
  "node:crypto": "Cipher Decipher constants subtle webcrypto",
  "node:diagnostics_channel": "",
  "node:events": "captureRejectionSymbol captureRejections defaultMaxListeners errorMonitor usingDomains",
  "node:fs": "F_OK R_OK W_OK X_OK constants lchmod lchmodSync promises",
  "node:fs/promises": "constants",
  "node:http": "METHODS STATUS_CODES globalAgent maxHeaderSize",
  "node:https": "globalAgent",
  "node:module": "_cache _extensions _pathCache builtinModules constants globalPaths",
  "node:os": "EOL constants devNull",
  "node:path": "delimiter posix sep win32",
  "node:path/posix": "delimiter posix sep win32",
  "node:path/win32": "delimiter posix sep win32",
  "node:perf_hooks": "constants performance",
  "node:process": "_events _eventsCount _exiting _maxListeners _preload_modules allowedNodeEnvironmentFlags arch argv argv0 config debugPort " +
    "domain env execArgv execPath exitCode features finalization moduleLoadList pid platform ppid release report " +
    "sourceMapsEnabled stderr stdin stdout title version versions",
  "node:punycode": "ucs2 version",
  "node:querystring": "",
  "node:stream": "promises",
  "node:stream/consumers": "",
  "node:stream/promises": "",
  "node:stream/web": "",
  "node:string_decoder": "",
  "node:timers": "promises",
  "node:timers/promises": "scheduler",
  "node:tty": "",
  "node:url": "",
  "node:util": "types",
  "node:util/types": "",
  "node:zlib": "codes constants",
};

return { FUNCTIONS, VALUES };
})();
